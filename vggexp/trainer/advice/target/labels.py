"""All classes that an image shows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vggexp.trainer.advice.target.contract import Floats, Rows
from vggexp.transfer.score.probe import Examples, Probe, probe_labels
from vggexp.types import VOID, Batch


class Labels:
    """A row is the mean over an image's feature map; each class has a logistic regression of its own."""

    metric = "mAP"

    def rows(self, maps: tuple[Tensor, ...], batch: Batch) -> Rows:
        """(N, C), with the labels (N, K): 1, 0 or VOID."""
        return Rows([one.mean((2, 3)) for one in maps], batch["labels"], batch["index"])

    def probe(self, train: Examples, val: Examples) -> Probe:
        """The mean over the classes of the average precision."""
        return probe_labels(train, val)

    def columns(self, targets: NDArray[Any]) -> Floats:
        """1 where the image shows the class; a class that the image is not asked for counts as absent."""
        shown: Floats = (targets == 1).astype(np.float64)
        return shown

    def scored(self, predicted: Floats, truth: NDArray[Any]) -> Floats:
        """The average precision of an image's own ranking of the classes; 1 if it shows none or all."""
        from sklearn.metrics import label_ranking_average_precision_score as ranked

        return np.array([ranked(row[None] == 1, found[None]) for row, found in zip(truth, predicted, strict=True)])

    def classes(self, targets: NDArray[Any]) -> NDArray[np.int64] | None:
        """None: an image has several."""
        return None

    def baseline(self, train: NDArray[Any], truth: NDArray[Any]) -> float:
        """The mean share of the images that show a class: the average precision of a constant score."""
        shares = [float((column[column != VOID] == 1).mean()) for column in truth.T if (column == 1).any()]
        return float(np.mean(shares)) if shares else float("nan")
