"""Diagnostics of masks: the confusion matrix of pixels, and each image's mean IoU and Dice."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from vggexp.task.diagnostics.rounding import rounded
from vggexp.task.metric.counts import confusion, overlap
from vggexp.types import Batch, Prediction


def rows(prediction: Prediction, batch: Batch, num_classes: int) -> dict[str, Tensor]:
    """For each image: ``confusion`` (N, C, C), pixels [truth, predicted]; ``dice``; ``score``, the mean IoU.

    The means are over the classes in truth or prediction; an image that is all void has NaN.
    """
    counts = confusion(prediction["mask"], batch["mask"], num_classes)
    iou, dice = (one.nanmean(-1).float() for one in overlap(counts))
    return {"confusion": counts.int(), "dice": dice, "score": iou}


def diagnostics(rows: Mapping[str, Tensor], classes: Sequence[str]) -> dict[str, Any]:
    """``confusion``, pixels [truth][predicted] over all images; columns with one value per image under ``each``."""
    return {
        "classes": list(classes),
        "confusion": rows["confusion"].sum(0, dtype=torch.int64).tolist(),
        "each": {"iou": rounded(rows["score"]), "dice": rounded(rows["dice"])},
    }
