"""Converts pixels of more than 8 bits, and floating-point pixels, to 8 bits."""

import numpy as np

DEPTHS = (8, 12, 16)
"""Bits per pixel that cameras and scanners use."""


class DepthError(ValueError):
    """The scale of the pixels cannot be determined. The message says what they are."""


def to_8_bits(values: np.ndarray) -> np.ndarray:
    """Gray values (H, W) as uint8.

    Whole numbers are scaled by the smallest of ``DEPTHS`` that holds the image's largest value: a 16-bit file with
    values below 4096 comes from a 12-bit camera. Floating-point numbers count from 0 (black) to 1 (white).

    Raises:
        DepthError: negative numbers, whole ones of more than 16 bits, or floating-point ones outside 0 to 1.

    >>> to_8_bits(np.array([[0, 4095]])).tolist(), to_8_bits(np.array([[0.0, 0.5]])).tolist()
    ([[0, 255]], [[0, 128]])
    """
    low, high = (values.min(), values.max()) if values.size else (0, 0)
    if np.issubdtype(values.dtype, np.floating):
        if not (low >= 0 and high <= 1):
            raise DepthError(f"floating-point pixels from {low:g} to {high:g}, where 0 to 1 is read")
        return (values * 255).round().astype(np.uint8)
    bits = next((bits for bits in DEPTHS if high < 2**bits), None)
    if bits is None or low < 0:
        raise DepthError(f"{values.dtype} pixels from {low} to {high}, where 0 to 65535 is read")
    scaled: np.ndarray = values.astype(np.int64) * 255 // (2**bits - 1)
    return scaled.astype(np.uint8)
