"""Mask geometry: pure functions that resample a mask of labels (H, W) to another grid of pixels.

Each new pixel takes the label under its centre, so the mask stays where the image and the box are. torch's "nearest"
takes the label under the pixel's upper left corner, which moves a mask half a pixel right and down.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Places = NDArray[np.int64]
"""Rows or columns of a mask."""
TIE = 1e-3
"""Pixels: a centre this near to a border of two old pixels counts as lying on it."""


def stretch(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """A mask (..., H, W) at (height, width): each pixel takes the label under its centre.

    As torch's "nearest-exact", except for centres on the border of two pixels (``cells_under``).

    >>> stretch(torch.tensor([[1, 2, 3, 4, 5, 6]]), (1, 2))
    tensor([[2, 5]])
    """
    height, width = mask.shape[-2:]
    if (height, width) == size:
        return mask
    rows, columns = cells_under(size[0], height), cells_under(size[1], width)
    return pick(mask, rows, columns)


def pick(mask: Tensor, rows: Places, columns: Places) -> Tensor:
    """The labels (..., len(rows), len(columns)) at these rows and columns of a mask (..., H, W) on the CPU.

    NumPy gathers columns of bytes in a third of torch's time.
    """
    labels = mask.numpy()
    if len(rows) < mask.shape[-2]:
        return torch.from_numpy(labels.take(rows, -2).take(columns, -1))
    return torch.from_numpy(labels.take(columns, -1).take(rows, -2))  # columns while there are few rows


def cells_under(count: int, cells: int, start: float = 0.0, end: float = 1.0) -> Places:
    """The cell under the centre of each of ``count`` pixels, which together cover the stretch from start to end.

    A centre may lie on the border of two cells: each one does at half the size. Even pixels then take the cell after
    the border, odd pixels the one before, so that the whole does not move: always the same one would move it by a
    quarter of a pixel.

    Args:
        count: pixels.
        cells: cells on the axis from 0 to 1.
        start, end: where the pixels begin and end on that axis; they may reach beyond it.

    Returns:
        int64, (count,): below 0, or at least ``cells``, where there is no cell.

    >>> cells_under(4, 8).tolist(), cells_under(3, 2, start=-0.5, end=1.0).tolist()
    ([1, 2, 5, 6], [-1, 0, 1])
    """
    numbers = np.arange(count)
    places = (start + (numbers + 0.5) * ((end - start) / count)) * cells
    below: Places = np.floor(places + TIE).astype(np.int64)
    on_border = places - below < TIE
    below[on_border & (numbers % 2 == 1)] -= 1
    return below
