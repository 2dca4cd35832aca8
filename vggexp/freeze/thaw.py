"""Train the head first, and thaw one more stage each time it has settled, from the head towards the image.

The order is that of gradual unfreezing (Howard & Ruder, arXiv 1801.06146, section 3.2); the moment is measured, where
``gradual`` counts epochs. An interval's measure is the norm of the head's gradient, summed over it: what a training
still has to do moves the head in one direction, while gradients that only waver cancel out in the sum.
"""

from vggexp.types import ParameterInfo


class Thaw:
    """All stages are frozen at first. The next one, from the last stage on, trains once the head has settled.

    Args:
        window: epochs of an interval; the first decision comes after two of them.
        settled: the head has settled when its measure is at most this share of the largest since the last thaw: above
            0 and below 1. A larger share thaws sooner.
    """

    constant = False
    measures_head = True

    def __init__(self, window: int = 1, settled: float = 0.5) -> None:
        if window < 1:
            raise ValueError(f"freeze.window={window} must be 1 or more")
        if not 0 < settled < 1:
            raise ValueError(f"freeze.settled={settled} must be above 0 and below 1")
        self.window, self.settled = window, settled
        self.measured: list[list[float]] = []

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """Factor 1 in the head and in the stages that are thawed by then, as far as measurements tell; 0 elsewhere."""
        if parameter.stage is None:
            return 1.0
        rows = self.measured[: epoch // self.window]
        return 1.0 if rows and parameter.stage > len(rows[0]) - 1 - self.thawed(epoch) else 0.0

    def thawed(self, epoch: int) -> int:
        """How often the head has settled before an epoch: a function of the rows of the intervals before it."""
        count, largest = 0, 0.0
        for row in self.measured[: epoch // self.window]:
            head = row[-1]
            if head <= self.settled * largest:
                count, largest = count + 1, 0.0
            else:
                largest = max(largest, head)
        return count
