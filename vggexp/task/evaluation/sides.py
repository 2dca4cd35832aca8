"""Photos at VGG's test scales: the shorter side is Q pixels (Simonyan & Zisserman, arXiv 1409.1556, 3.2)."""

from collections.abc import Sequence

from torch import Tensor
from torchvision.transforms.v2 import functional


def default_sides(image_size: Sequence[int]) -> tuple[int, ...]:
    """One test scale, in the paper's ratio of 256 to 224.

    >>> default_sides([224, 224]), default_sides([96, 128])
    ((256,), (146,))
    """
    return (round(max(image_size) * 256 / 224),)


def at_side(photos: Tensor, side: int) -> Tensor:
    """uint8 photos (N, 3, H, W), scaled by one factor until the shorter side has ``side`` pixels."""
    scaled: Tensor = functional.resize(photos, scaled_sides(photos.shape[-2], photos.shape[-1], side))
    return scaled


def scaled_sides(height: int, width: int, side: int) -> list[int]:
    """[height, width] whose shorter side is ``side``; the longer one is rounded.

    >>> scaled_sides(300, 400, 256), scaled_sides(400, 300, 256)
    ([256, 341], [341, 256])
    """
    if height <= width:
        return [side, round(width * side / height)]
    return [round(height * side / width), side]


def crops(photos: Tensor, size: Sequence[int], grid: int) -> list[Tensor]:
    """``grid`` x ``grid`` crops (N, 3, *size) at equal distances, row by row; of one, the centre."""
    height, width = size
    tops, lefts = (_places(whole, part, grid) for whole, part in zip(photos.shape[-2:], size, strict=True))
    return [photos[..., top : top + height, left : left + width] for top in tops for left in lefts]


def _places(whole: int, part: int, grid: int) -> list[int]:
    """Where ``grid`` stretches of ``part`` pixels begin in ``whole``, from end to end."""
    rest = whole - part
    return [rest // 2] if grid == 1 else [round(rest * place / (grid - 1)) for place in range(grid)]
