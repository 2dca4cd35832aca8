"""Diagnostics of labels: confusion matrix, one precision-recall curve per class, each image's label and probability."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from vggexp.task.diagnostics.confusion import counted
from vggexp.task.diagnostics.rounding import rounded
from vggexp.types import Batch, Prediction

POINTS = 200
"""Maximum number of points of one curve."""
ALL_POINTS = 20_000
"""Approximate maximum number of points of all classes' curves."""


def rows(prediction: Prediction, batch: Batch) -> dict[str, Tensor]:
    """For each image: ``label``, ``predicted``, ``probability`` (N, C); ``score``, the true label's probability."""
    label, probability = batch["label"], prediction["probability"].float()
    score = probability.gather(1, label[:, None])[:, 0]
    return {"label": label, "predicted": prediction["label"], "probability": probability, "score": score}


def diagnostics(rows: Mapping[str, Tensor], classes: Sequence[str]) -> dict[str, Any]:
    """``confusion`` [truth][predicted] or ``cells``; ``curve`` by class; one value per image under ``each``."""
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
    """One class's precision-recall curve against the rest, by scikit-learn; None if there are no positives.

    Args:
        probability: (N,), predicted for the class.
        truth: (N,), bool: whether the image has the class.
        points: maximum number of points of the curve.

    Returns:
        ``recall`` ascending, ``precision``, and ``average_precision``, which is computed from all points, before
        the curve is thinned to ``points``.
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
