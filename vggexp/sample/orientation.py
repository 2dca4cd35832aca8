"""EXIF orientation: turns photos upright, and annotations that refer to stored pixels.

Every verb reads photos upright. Orientations 1 to 8 are those of EXIF 2.3, section 4.6.4 A, tag 0x0112.
"""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

ORIENTATION = 0x0112
UPRIGHT = 1
SWAPPED = (5, 6, 7, 8)
"""Orientations whose stored height is the upright width."""
MIRRORED = {2: (-1,), 3: (-1, -2), 4: (-2,), 6: (-1,), 7: (-1, -2), 8: (-2,)}
"""By orientation: which axes are reversed, after the transposition of those in ``SWAPPED``."""


def exif_orientation(value: object, none: int = UPRIGHT) -> int:
    """A value of the EXIF tag as 1 to 8; ``none`` for any other."""
    return value if isinstance(value, int) and 1 <= value <= 8 else none


def orientation_in(image: Image.Image) -> int:
    """The orientation of an image that Pillow has loaded, 1 to 8; of one it has only opened, if EXIF stands first."""
    try:
        return exif_orientation(Image.Image.getexif(image).get(ORIENTATION))  # PngImageFile's would decode the pixels
    except Exception:  # damaged metadata can raise nearly any exception, although the pixels are intact
        return UPRIGHT


def turn(pixels: Tensor, orientation: int) -> Tensor:
    """Stored pixels uint8 (H, W) or (3, H, W), upright: (..., W, H) for the orientations 5 to 8.

    A colour image that is turned has its channels last in memory, as decoders give it.
    """
    if orientation == UPRIGHT:
        return pixels
    items = pixels.numpy()
    if pixels.ndim == 3:  # moving a pixel as one item of three bytes is faster than moving three channels
        items = np.ascontiguousarray(items.transpose(1, 2, 0)).view("V3")[..., 0]
    items = items.T if orientation in SWAPPED else items
    items = np.ascontiguousarray(np.flip(items, MIRRORED.get(orientation, ())))
    if pixels.ndim == 2:
        return torch.from_numpy(items)
    return torch.from_numpy(items.view(np.uint8).reshape(*items.shape, 3)).permute(2, 0, 1)


def turned_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """(height, width) upright of a stored (height, width), or the reverse.

    >>> turned_size((60, 90), 6)
    (90, 60)
    """
    return (size[1], size[0]) if orientation in SWAPPED else size


def turn_edges(edges: Tensor, size: tuple[int, int], orientation: int) -> Tensor:
    """Edges (..., 4): left, top, right, bottom in pixels of a stored image (height, width), in those of the upright.

    >>> turn_edges(torch.tensor([10.0, 20.0, 30.0, 60.0]), (100, 200), 6).tolist()
    [40.0, 10.0, 80.0, 30.0]
    """
    left, top, right, bottom = edges.unbind(-1)
    height, width = size
    if orientation in SWAPPED:
        left, top, right, bottom, height, width = top, left, bottom, right, width, height
    mirrored = MIRRORED.get(orientation, ())
    if -1 in mirrored:
        left, right = width - right, width - left
    if -2 in mirrored:
        top, bottom = height - bottom, height - top
    return torch.stack([left, top, right, bottom], -1)
