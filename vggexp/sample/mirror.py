"""Pixels beyond an image's border: the image in a mirror at its outermost pixels, which are not repeated."""

import torch
from torch import Tensor


def mirrored(images: Tensor, border: int) -> Tensor:
    """Images (..., H, W) with ``border`` pixels more on each side.

    >>> mirrored(torch.tensor([[0, 1], [2, 3]]), 1).tolist()
    [[3, 2, 3, 2], [1, 0, 1, 0], [3, 2, 3, 2], [1, 0, 1, 0]]
    """
    rows, columns = (places(-border, side + border, side, images.device) for side in images.shape[-2:])
    return images.index_select(-2, rows).index_select(-1, columns)


def places(first: int, end: int, side: int, device: torch.device | None = None) -> Tensor:
    """For the positions from ``first`` to before ``end``: which of a side's pixels stands there, int64.

    >>> places(-3, 6, 3).tolist()
    [1, 2, 1, 0, 1, 2, 1, 0, 1]
    """
    found = torch.arange(first, end, device=device) % max(2 * (side - 1), 1)
    return torch.minimum(found, 2 * (side - 1) - found)
