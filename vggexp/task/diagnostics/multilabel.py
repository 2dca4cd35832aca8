"""Diagnostics of several classes per image: a table of the classes, their curves, each image's classes."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from vggexp.task.diagnostics.classification import ALL_POINTS, POINTS, precision_recall
from vggexp.task.diagnostics.rounding import rounded
from vggexp.task.metric.counts import f1
from vggexp.types import VOID, Batch, Prediction


def rows(prediction: Prediction, batch: Batch) -> dict[str, Tensor]:
    """For each image: ``truth``, ``predicted``, ``probability``, (N, C) each; ``score``, the F1 of its classes.

    An image without a class, true or predicted, has the score 1.
    """
    truth, predicted = batch["labels"], prediction["labels"]
    score = f1((predicted > 0) & (truth != VOID), truth == 1, dim=1).nan_to_num(nan=1.0)
    return {"truth": truth, "predicted": predicted, "probability": prediction["probability"].float(), "score": score}


def diagnostics(rows: Mapping[str, Tensor], classes: Sequence[str]) -> dict[str, Any]:
    """``by_class``, one row per class; ``curve`` by class; each image's labels under ``each``."""
    asked, truth = rows["truth"].cpu() != VOID, rows["truth"].cpu() == 1
    predicted, probability = (rows["predicted"].cpu() > 0) & asked, rows["probability"].cpu()
    points = min(POINTS, max(10, ALL_POINTS // len(classes)))
    curves = [
        precision_recall(probability[asked[:, place], place], truth[asked[:, place], place], points)
        for place in range(len(classes))
    ]
    return {
        "classes": list(classes),
        "by_class": _by_class(truth, predicted, curves),
        "curve": curves,
        "each": {
            "truth_labels": [row.nonzero()[:, 0].tolist() for row in truth],
            "predicted_labels": [row.nonzero()[:, 0].tolist() for row in predicted],
        },
    }


def _by_class(truth: Tensor, predicted: Tensor, curves: Sequence[Mapping[str, Any] | None]) -> list[dict[str, Any]]:
    """For each class: the images that show it, those it is predicted for, and its scores; None for 0 / 0."""
    hits, shown, said = (truth & predicted).sum(0), truth.sum(0), predicted.sum(0)
    scores = zip(*(_plain(share) for share in (hits / said, hits / shown, f1(predicted, truth))), strict=True)
    return [
        {
            "shown": int(shown[place]), "predicted": int(said[place]), "precision": precision, "recall": recall,
            "f1": of_both, "average_precision": curve and curve["average_precision"],
        }
        for place, ((precision, recall, of_both), curve) in enumerate(zip(scores, curves, strict=True))
    ]  # fmt: skip


def _plain(scores: Tensor) -> list[float | None]:
    """Rounded, with None for NaN."""
    return [None if value != value else value for value in rounded(scores)]
