"""Diagnostics of boxes: a histogram of IoU, and each image's true and predicted box."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from vggexp import boxes
from vggexp.boxes import of_label
from vggexp.task.diagnostics.rounding import rounded
from vggexp.types import Batch, Prediction

BINS = 20


def rows(prediction: Prediction, batch: Batch) -> dict[str, Tensor]:
    """For each image: ``truth`` and ``prediction`` (N, 4) (the true label's, if one per class); ``score``, the IoU."""
    truth = batch["box"].float()
    box = prediction["box"] if "box" in prediction else of_label(prediction["box_per_class"], batch["label"])
    return {"truth": truth, "prediction": box.float(), "score": boxes.iou(box.float(), truth)}


def diagnostics(rows: Mapping[str, Tensor]) -> dict[str, Any]:
    """``histogram``: images by IoU in ``BINS`` equal bins from 0 to 1; one value per image under ``each``."""
    iou = rows["score"].cpu().double().clamp(0, 1)  # rounding can lift equal boxes above 1, which histc would ignore
    return {
        "histogram": torch.histc(iou, BINS, 0, 1).long().tolist(),
        "each": {"truth": rounded(rows["truth"]), "prediction": rounded(rows["prediction"])},
    }
