"""Of labels: the confusion matrix, a precision-recall curve a class, and each image's label and probability."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from vggexp.task.diagnostics.confusion import counted
from vggexp.task.diagnostics.rounding import rounded
from vggexp.types import Batch, Prediction

POINTS = 200
"""A curve's points, at most."""
ALL_POINTS = 20_000
"""Points of all classes' curves, about, at most."""


def rows(prediction: Prediction, batch: Batch) -> dict[str, Tensor]:
    """Of each image: ``label``, ``predicted``, ``probability`` (N, C); ``score``, the true label's probability."""
    label, probability = batch["label"], prediction["probability"].float()
    score = probability.gather(1, label[:, None])[:, 0]
    return {"label": label, "predicted": prediction["label"], "probability": probability, "score": score}


def diagnostics(rows: Mapping[str, Tensor], classes: Sequence[str]) -> dict[str, Any]:
    """``confusion`` [truth][predicted] or ``cells``, ``curve`` by class, the images' columns under ``each``."""
    label, predicted, probability = rows["label"], rows["predicted"], rows["probability"]
    size = len(classes)
    points = min(POINTS, max(10, ALL_POINTS // size))
    return {
        "classes": list(classes),
        **counted(label, predicted, size),
        "curve": [precision_recall(probability[:, place], label == place, points) for place in range(size)],
        "each": {
            "label": label.tolist(),
            "predicted": predicted.tolist(),
            "probability": rounded(probability.gather(1, predicted[:, None])[:, 0]),
        },
    }


def precision_recall(probability: Tensor, truth: Tensor, points: int = POINTS) -> dict[str, Any] | None:
    """The curve of one class against the rest, as scikit-learn draws it, and its area; None where no truth is.

    Args:
        probability: (N,), of the class.
        truth: (N,), bool: whether an image shows it.
        points: of the curve, at most.

    Returns:
        ``recall`` ascending, ``precision``, and ``average_precision``, which is of all points, also of those that a
        curve of more than ``points`` leaves out.
    """
    from sklearn.metrics import average_precision_score, precision_recall_curve

    if not truth.any():
        return None
    precision, recall, _ = precision_recall_curve(truth.numpy(), probability.numpy())
    kept = torch.linspace(0, len(recall) - 1, min(points, len(recall))).round().long().flip(0).numpy()
    return {
        "recall": rounded(torch.from_numpy(recall[kept])),
        "precision": rounded(torch.from_numpy(precision[kept])),
        "average_precision": float(average_precision_score(truth.numpy(), probability.numpy())),
    }
