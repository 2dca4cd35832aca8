import pytest
import torch

from vggexp.task.metric.box import BoxMetrics
from vggexp.task.metric.classification import ClassificationMetrics
from vggexp.task.metric.multitask import MultitaskMetrics
from vggexp.types import Batch, Prediction


def build() -> MultitaskMetrics:
    part = {"classification": ClassificationMetrics(("a", "b")), "localization": BoxMetrics()}
    return MultitaskMetrics(part, {"classification": "top1", "localization": "box_iou"})


PREDICTION: Prediction = {
    "label": torch.tensor([0, 1, 1, 1]),
    "probability": torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]]),
    "box": torch.tensor([[0.0, 0.0, 1.0, 1.0]]).expand(4, 4),
}
BATCH: Batch = {"label": torch.tensor([0, 1, 1, 0]), "box": torch.tensor([[0.0, 0.0, 0.5, 1.0]]).expand(4, 4)}


def test_score_is_the_mean_of_the_objectives() -> None:
    metrics = build()
    metrics.update(PREDICTION, BATCH)
    scores = metrics.compute()
    assert {"top1", "f1", "f1/a", "f1/b", "box_iou", "box_dice", "box_accuracy", "score"} == scores.keys()
    assert float(scores["top1"]) == 0.75
    assert float(scores["box_iou"]) == 0.5
    assert float(scores["score"]) == pytest.approx(0.625)


def test_reset_reaches_every_part() -> None:
    metrics = build()
    metrics.update(PREDICTION | {"label": torch.zeros(4).long(), "box": torch.zeros(4, 4)}, BATCH)
    metrics.reset()
    metrics.update(PREDICTION, BATCH)
    assert float(metrics.compute()["score"]) == pytest.approx(0.625)


def test_one_name_for_two_scores_is_a_bug() -> None:
    metrics = MultitaskMetrics({"one": BoxMetrics(), "two": BoxMetrics()}, {"one": "box_iou"})
    metrics.update(PREDICTION, BATCH)
    with pytest.raises(AssertionError, match="one name"):
        metrics.compute()
