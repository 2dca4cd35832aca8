"""Which prediction found which object: one rule, COCO's, for scores, diagnostics and pictures."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

IOU = 0.5
"""The overlap from which on a prediction finds an object."""
SURE = 0.5
"""The score from which on a prediction counts, where not all of them do: in counts, pictures and panoptic quality."""
FALSE, IGNORED = -1, -2
"""In place of an object: the prediction found none; it lies in a region that is not scored."""


def match(
    overlaps: NDArray[np.float64], predicted: Tensor, truth: Tensor, counted: Tensor, iou: float = IOU
) -> NDArray[np.int64]:
    """The object that each prediction finds: (P,), places in the truth, or FALSE or IGNORED.

    From the highest score down, each prediction takes the object of its class that it overlaps most and that is not
    taken yet. If none is left, it is ignored where it overlaps an object that does not count.

    Args:
        overlaps: (P, T), predictions in descending order of score.
        predicted, truth: labels, (P,) and (T,).
        counted: (T,), bool: false for objects that need not be found (crowds, VOC's difficult ones).
        iou: least overlap.
    """
    found = np.full(len(predicted), FALSE, dtype=np.int64)
    if not len(truth):
        return found
    same = np.equal.outer(predicted.numpy(), truth.numpy())
    near = np.where(same & (overlaps >= iou), overlaps, 0.0)
    free = counted.numpy().copy()
    regions = np.any(near[:, ~free] > 0, axis=1)
    last = len(truth) - 1
    for row in np.flatnonzero(near.any(1)):
        candidates = np.where(free, near[row], 0.0)
        best = last - int(candidates[::-1].argmax())  # of equals the last, as COCO's code
        if candidates[best] > 0:
            found[row], free[best] = best, False
        elif regions[row]:
            found[row] = IGNORED
    return found
