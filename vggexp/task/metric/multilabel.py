"""Scores for several classes per image: average precision and F1 of each class."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.functional.classification import binary_average_precision
from torchmetrics.utilities import dim_zero_cat

from vggexp.task.metric.counts import f1
from vggexp.types import VOID, Batch, Prediction


class MultilabelMetrics(Metric):
    """``map``, the mean of each ``ap/<class>``, and ``f1``, the mean of the classes' F1.

    ``map`` scores the ranking of the images by each class's probability (VOC's and COCO's multi-label score), ``f1``
    what is predicted. Where a label is VOID, as VOC's of difficult objects alone, the image is not asked for that
    class. A class that no image shows has average precision NaN, and F1 NaN if it is not predicted either;
    the means ignore it.

    Args:
        classes: the class names, in the order of the labels.
    """

    full_state_update = False
    seen: list[Tensor]

    def __init__(self, classes: Sequence[str]):
        super().__init__()
        self.names = tuple(classes)
        self.add_state("seen", [], dist_reduce_fx="cat")

    def update(self, prediction: Prediction, batch: Batch) -> None:
        """Add a batch: ``labels`` and ``probability``, (N, C) each."""
        columns = torch.stack((batch["labels"], prediction["labels"], prediction["probability"]), 1)
        # Flat: torchmetrics gathers a flat, empty float tensor from a process that evaluates no batch.
        self.seen.append(columns.flatten())

    def compute(self) -> dict[str, Tensor]:
        """Scores, 0 to 1; NaN if no image shows any class."""
        truth, labels, probability = dim_zero_cat(self.seen).view(-1, 3, len(self.names)).unbind(1)
        known = truth != VOID
        ap = average_precision(probability, truth == 1, known)
        scores = {"map": ap.nanmean(), "f1": f1((labels > 0) & known, truth == 1).nanmean()}
        return scores | {f"ap/{name}": score for name, score in zip(self.names, ap, strict=True)}


def average_precision(probability: Tensor, truth: Tensor, asked: Tensor | None = None) -> Tensor:
    """Average precision of each class: (N, C) and bool (N, C) to (C,); NaN without positives, or if it is no number.

    Args:
        asked: bool, (N, C): which images count for a class; None: all.

    >>> truth = torch.tensor([[True, False], [False, False], [True, False]])
    >>> average_precision(torch.tensor([[0.9, 0.1], [0.5, 0.2], [0.1, 0.3]]), truth)
    tensor([0.8333,    nan])
    """
    scores = probability.new_full((truth.shape[1],), torch.nan)
    known = truth.any(0) & ~probability.isnan().any(0)
    for place in known.nonzero()[:, 0].tolist():
        # Not torchmetrics' multi-label score: it warns of a class without positives, and gives it 0.
        rows = slice(None) if asked is None else asked[:, place]
        of_class = probability[rows, place], truth[rows, place].long()
        scores[place] = binary_average_precision(*of_class, validate_args=False)
    return scores
