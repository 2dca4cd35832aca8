"""Diagnostics of found objects."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torchvision.ops import box_iou

from vggexp.types import Batch, Prediction


def rows(prediction: Prediction, batch: Batch) -> dict[str, Tensor]:
    """For each image: ``score``, the share of its objects that one of the same class covers by half; NaN without any."""
    scores = []
    for found, truth in zip(prediction["objects"], batch["objects"], strict=True):
        kept = truth[truth.counted()]
        iou = box_iou(kept.boxes.float(), found.boxes.float())
        hit = (iou > 0.5) & (kept.labels[:, None] == found.labels)
        scores.append(hit.any(1).float().mean())
    return {"score": torch.stack(scores)}


def diagnostics(rows: Mapping[str, Tensor]) -> dict[str, Any]:
    """Nothing yet beside the scores."""
    return {"each": {}}
