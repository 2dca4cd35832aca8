"""What every target of a probe can do."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vggexp.transfer.score.probe import Examples, Probe
from vggexp.types import Batch

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """What a probe reads of one batch: a row for each image, or for each of several places in an image."""

    stages: list[Tensor]
    """By stage: (R, D)."""
    targets: Tensor
    """(R,) or (R, K)."""
    images: Tensor
    """int64, (R,): the index of the image that a row belongs to. Rows of one image are no independent examples."""


class Target(Protocol):
    """A key of a batch, and how a linear model predicts it from one stage's features."""

    metric: str
    """What the probe's score is, as a table names it."""

    def rows(self, maps: tuple[Tensor, ...], batch: Batch) -> Rows:
        """The rows of a batch, given each stage's feature map (N, C, H, W).

        What is drawn depends on an image's index alone, so it is the same for every source.
        """

    def probe(self, train: Examples, val: Examples) -> Probe:
        """Fit a linear model to the training split's rows, and score it on the validation split's."""

    def columns(self, targets: NDArray[Any]) -> Floats:
        """(R, K): the targets as numbers that a linear model can be fitted to, for LogME."""

    def scored(self, predicted: Floats, truth: NDArray[Any]) -> Floats:
        """(R,): how well each row is predicted, 0 to 1, by a linear model of ``columns``."""

    def classes(self, targets: NDArray[Any]) -> NDArray[np.int64] | None:
        """(R,): the one class of each row, for scores that need one; None if rows have none or several."""

    def baseline(self, train: NDArray[Any], truth: NDArray[Any]) -> float:
        """The score of the best constant prediction, chosen on the training split's targets."""
