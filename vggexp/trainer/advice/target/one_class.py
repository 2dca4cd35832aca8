"""A probe's target that is one class a row."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vggexp.trainer.advice.target.contract import Floats
from vggexp.transfer.score.probe import Examples, Probe, probe_classes


class OneClass:
    """Everything but the rows: logistic regression, scored by the share of rows that it gets right."""

    def probe(self, train: Examples, val: Examples) -> Probe:
        """The share of the validation rows whose class the logistic regression names."""
        return probe_classes(train, val)

    def columns(self, targets: NDArray[Any]) -> Floats:
        """One-hot."""
        one_hot: Floats = np.eye(int(targets.max()) + 1)[targets]
        return one_hot

    def scored(self, predicted: Floats, truth: NDArray[Any]) -> Floats:
        """1 where the largest column is the right one."""
        right: Floats = (predicted.argmax(1) == truth).astype(np.float64)
        return right

    def classes(self, targets: NDArray[Any]) -> NDArray[np.int64]:
        """The targets themselves."""
        return targets

    def baseline(self, train: NDArray[Any], truth: NDArray[Any]) -> float:
        """The share of the most frequent training class."""
        return float((truth == np.bincount(train).argmax()).mean())
