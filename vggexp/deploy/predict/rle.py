"""COCO's run-length encoding of a mask, as its tools write it: lengths of runs down the columns, packed in letters."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

_BITS = 5
_FIRST = 48  # "0"


def encode(mask: Tensor) -> dict[str, object]:
    """A mask (H, W) of 0 and 1 to ``{"size": [H, W], "counts": letters}``.

    >>> import torch
    >>> encode(torch.tensor([[0, 1], [0, 1]]))
    {'size': [2, 2], 'counts': '22'}
    """
    height, width = mask.shape
    return {"size": [height, width], "counts": _packed(runs(mask.numpy()))}


def runs(mask: NDArray[np.uint8]) -> list[int]:
    """Lengths of the runs of 0 and of 1 in turn, down the columns; the first may be 0."""
    pixels = mask.ravel(order="F") != 0
    starts = np.flatnonzero(np.diff(pixels)) + 1
    lengths = np.diff(np.concatenate(([0], starts, [pixels.size])))
    found: list[int] = lengths.tolist()
    return [0, *found] if pixels.size and pixels[0] else found


def _packed(lengths: list[int]) -> str:
    """Each length, from the fourth on its difference from the one two before, in groups of 5 bits, low ones first."""
    letters = []
    for place, length in enumerate(lengths):
        value = length - lengths[place - 2] if place > 2 else length
        while True:
            bits, value = value & 31, value >> _BITS
            is_last = value == (-1 if bits & 16 else 0)  # the sixteens' bit of the last group is the sign
            letters.append(chr(_FIRST + (bits if is_last else bits | 32)))
            if is_last:
                break
    return "".join(letters)
