"""Freeze a stage once it has stopped moving, from the image towards the head.

Liu, Agarwal & Venkataraman, "AutoFreeze: Automatically Freezing Model Blocks to Accelerate Fine-tuning", arXiv
2102.01386. A stage's change is how much the norm of its gradient, summed over an interval, differs from that of the
interval before, relative to it. The stages of the network freeze from the first one on as long as their change is below
a percentile of the changes of all stages that still train.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from vggexp.types import ParameterInfo


class Auto:
    """All stages train at first; those whose gradients have settled freeze. The last stage to train never does.

    Args:
        window: epochs of an interval; the first decision comes after two of them.
        percentile: from 0 (nothing freezes) to 100; the paper's is the median.
    """

    constant = False

    def __init__(self, window: int = 1, percentile: float = 50.0) -> None:
        if window < 1:
            raise ValueError(f"freeze.window={window} must be 1 or more")
        if not 0 <= percentile <= 100:
            raise ValueError(f"freeze.percentile={percentile} must be from 0 to 100")
        self.window, self.percentile = window, percentile
        self.measured: list[list[float]] = []

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """Factor 0 in the stages that are frozen by then, as far as measurements tell; 1 elsewhere."""
        return 0.0 if parameter.stage is not None and parameter.stage <= self.frozen(epoch) else 1.0

    def frozen(self, epoch: int) -> int:
        """The number of first stages that are frozen in an epoch: a function of the rows of the intervals before it."""
        first = 0
        for before, now in pairwise(self.measured[: epoch // self.window]):
            changes = [_change(*pair) for pair in zip(before[first:], now[first:], strict=True)]
            first += slow(changes, self.percentile)
        return first


def slow(changes: Sequence[float], percentile: float) -> int:
    """How many of the first changes are below a percentile of all.

    >>> slow([0.1, 0.2, 0.9, 0.1, 0.8], 50), slow([0.5, 0.1], 50), slow([0.3], 50)
    (1, 0, 0)
    """
    threshold = np.percentile(changes, percentile)
    return next((place for place, change in enumerate(changes) if not change < threshold), 0)


def _change(before: float, now: float) -> float:
    """The relative change of a norm; infinite from nothing to something."""
    return abs(now - before) / before if before else float("inf") if now else 0.0
