"""Train the stages that the data ask for: those with the largest gradients, relative to their weights.

Lee et al., "Surgical Fine-Tuning Improves Adaptation to Distribution Shifts", arXiv 2210.11466. Section 4.1 measures a
layer's relative gradient norm, |gradient| / |parameters|; a layer with a larger one has more to learn. The paper scales
each layer's learning rate by it (Auto-RGN); here whole stages are chosen, so that the others need no gradient.
"""

from vggexp.types import ParameterInfo


class Surgical:
    """The ``tuned`` stages with the largest relative gradient norm train, and the head.

    Args:
        tuned: how many stages train.
        window: batches before training whose mean gradient is measured.
    """

    constant = True

    def __init__(self, tuned: int = 1, window: int = 8) -> None:
        if tuned < 1 or window < 1:
            raise ValueError(f"freeze.tuned={tuned} and freeze.window={window} must be 1 or more")
        self.tuned, self.window = tuned, window
        self.measured: list[list[float]] = []

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """Factor 1 in the head and in the chosen stages, 0 elsewhere; 1 everywhere until it is measured."""
        if parameter.stage is None or not self.measured:
            return 1.0
        return 1.0 if parameter.stage in self.chosen else 0.0

    @property
    def chosen(self) -> list[int]:
        """The stages that train, by their number; of equal ones the deeper. ValueError if there are not so many."""
        (row,) = self.measured
        if self.tuned > len(row):
            raise ValueError(f"freeze.tuned={self.tuned}: the backbone has {len(row)} stages")
        ranked = sorted(range(1, len(row) + 1), key=lambda stage: (row[stage - 1], stage), reverse=True)
        return sorted(ranked[: self.tuned])
