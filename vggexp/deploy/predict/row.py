"""A prediction in JSON types: one row of ``predictions.jsonl``."""

from typing import Any

import torch
from torch import Tensor

from vggexp.boxes import to_edges
from vggexp.deploy.predict.view import Size
from vggexp.types import VOID, DataInfo, Prediction


def describe(prediction: Prediction, info: DataInfo, size: Size) -> dict[str, Any]:
    """The predictions for a photo of ``size`` = (H, W).

    ``class``, or ``classes`` above the threshold, the most probable first, and ``probability`` of each class; ``box``,
    (x, y, h, w) as shares of the photo, and ``box_pixels``, (left, top, right, bottom), clipped to it; ``share``
    of each pixel class among the pixels that are not VOID.
    """
    row: dict[str, Any] = {}
    if "label" in prediction:
        row["class"] = info.classes[int(prediction["label"])]
        row["probability"] = dict(zip(info.classes, rounded(prediction["probability"]), strict=True))
    if "labels" in prediction:
        row["probability"] = dict(zip(info.classes, rounded(prediction["probability"]), strict=True))
        shown = [info.classes[label] for label in prediction["labels"].nonzero()[:, 0].tolist()]
        row["classes"] = sorted(shown, key=lambda name: -row["probability"][name])
    if "box" in prediction:
        row["box"] = rounded(prediction["box"])
        row["box_pixels"] = rounded(pixel_edges(prediction["box"], size), 1)
    elif "box_per_class" in prediction:  # without a classifier there is no class to choose the box
        boxes = (rounded(box) for box in prediction["box_per_class"])
        row["box_per_class"] = dict(zip(info.classes, boxes, strict=True))
    if "mask" in prediction:
        counts = prediction["mask"].flatten().bincount(minlength=VOID + 1)[: len(info.mask_classes)]
        row["share"] = dict(zip(info.mask_classes, rounded(counts / counts.sum().clamp(min=1)), strict=True))
    return row


def pixel_edges(box: Tensor, size: Size) -> Tensor:
    """A box (4,) in shares to its edges (left, top, right, bottom) in pixels of a photo (H, W), clipped to it."""
    limits = torch.tensor((size[1], size[0], size[1], size[0]))
    return (to_edges(box) * limits).clamp(min=torch.zeros(4), max=limits.float())


def rounded(values: Tensor, digits: int = 5) -> list[float]:
    """The values as floats, rounded to ``digits`` decimals."""
    return [round(float(value), digits) for value in values]
