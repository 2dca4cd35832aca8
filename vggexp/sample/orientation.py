"""EXIF orientation: how a photo is turned upright, and with it what an annotation counts in stored pixels.

Every verb reads photos upright. Orientations 1 to 8 are those of EXIF 2.3, section 4.6.4 A, tag 0x0112.
"""

import io

import torch
from PIL import Image
from torch import Tensor

ORIENTATION = 0x0112
UPRIGHT = 1
SWAPPED = (5, 6, 7, 8)
"""Orientations whose stored height is the upright width."""
_HEADER = 2**18
"""Bytes in which a JPEG's EXIF is looked for: a segment has at most 2**16, and XMP or a profile may come before it."""


def orientation_of(content: bytes) -> int:
    """The orientation that an image file's EXIF gives, 1 to 8; 1 if it gives none. Decodes no pixels."""
    if content.startswith(b"\xff\xd8") and content.find(b"Exif\x00\x00", 0, _HEADER) < 0:
        return UPRIGHT  # most JPEGs: found in microseconds, where Pillow takes a tenth of a millisecond
    with Image.open(io.BytesIO(content)) as image:
        return orientation_in(image)


def orientation_in(image: Image.Image) -> int:
    """The orientation of an image that Pillow has opened, 1 to 8."""
    value = image.getexif().get(ORIENTATION, UPRIGHT)
    return value if isinstance(value, int) and 1 <= value <= 8 else UPRIGHT


def turn(pixels: Tensor, orientation: int) -> Tensor:
    """Stored pixels (..., H, W) upright: a view, (..., W, H) for the orientations 5 to 8."""
    if orientation in SWAPPED:
        pixels = pixels.transpose(-1, -2)
    # What is left after the transposition: which axes are mirrored.
    axes = {2: (-1,), 3: (-1, -2), 4: (-2,), 6: (-1,), 7: (-1, -2), 8: (-2,)}.get(orientation, ())
    return pixels.flip(axes) if axes else pixels


def turned_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """(height, width) upright of a stored (height, width), or the reverse.

    >>> turned_size((60, 90), 6)
    (90, 60)
    """
    return (size[1], size[0]) if orientation in SWAPPED else size


def turn_edges(edges: Tensor, size: tuple[int, int], orientation: int) -> Tensor:
    """Edges (4,): left, top, right, bottom in pixels of a stored image (height, width), in those of the upright one.

    >>> turn_edges(torch.tensor([10.0, 20.0, 30.0, 60.0]), (100, 200), 6).tolist()
    [40.0, 10.0, 80.0, 30.0]
    """
    left, top, right, bottom = edges.tolist()
    height, width = size
    if orientation in SWAPPED:
        left, top, right, bottom, height, width = top, left, bottom, right, width, height
    if orientation in (2, 3, 6, 7):
        left, right = width - right, width - left
    if orientation in (3, 4, 7, 8):
        top, bottom = height - bottom, height - top
    return torch.tensor([left, top, right, bottom])
