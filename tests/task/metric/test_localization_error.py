"""The localization error by hand."""

import pytest
import torch

from vggexp.task.metric.localization_error import LocalizationError
from vggexp.types import Batch, Prediction

TRUTH = torch.tensor([0.0, 0.0, 0.5, 0.5])
NEAR = torch.tensor([0.0, 0.0, 0.5, 0.6])  # IoU 5/6
FAR = torch.tensor([0.5, 0.5, 0.5, 0.5])
HALF = torch.tensor([0.0, 0.0, 0.25, 0.5])  # IoU 0.5, which is not above it


def scored(prediction: Prediction, label: list[int]) -> dict[str, float]:
    metric = LocalizationError()
    batch: Batch = {"label": torch.tensor(label), "box": TRUTH.expand(len(label), 4)}
    metric.update(prediction, batch)
    return {name: float(value) for name, value in metric.compute().items()}


def test_class_and_box_must_both_be_right() -> None:
    """Four images: both right; the class wrong; the box wrong; a box at IoU 0.5."""
    probability = torch.eye(7)[[3, 3, 3, 3]] * 0.5 + torch.tensor([0.2, 0.1, 0.1, 0.05, 0.04, 0.01, 0.0])
    prediction = {
        "label": torch.tensor([3, 3, 3, 3]),
        "probability": probability,
        "box": torch.stack([NEAR, NEAR, FAR, HALF]),
    }
    found = scored(prediction, [3, 1, 3, 3])
    assert found == pytest.approx({"box_error_top1": 0.75, "box_error_top5": 0.5, "box_error_true_class": 0.5})


def test_of_a_box_a_class_the_true_one_s_is_judged() -> None:
    per_class = torch.stack([torch.stack([NEAR if k == 1 else FAR for k in range(7)])] * 2)
    probability = torch.tensor([[0.5, 0.3, 0.1, 0.1, 0.0, 0.0, 0.0], [0.3, 0.01, 0.2, 0.19, 0.1, 0.1, 0.1]])
    prediction = {
        "label": torch.tensor([0, 0]),
        "probability": probability,
        "box_per_class": per_class,
        "box": per_class[:, 0],
    }
    found = scored(prediction, [1, 1])
    assert found == pytest.approx({"box_error_top1": 1.0, "box_error_top5": 0.5, "box_error_true_class": 0.0})


def test_of_five_classes_there_is_no_top5() -> None:
    prediction = {"label": torch.tensor([0]), "probability": torch.eye(5)[[0]], "box": NEAR[None]}
    assert scored(prediction, [0]) == {"box_error_top1": 0.0, "box_error_true_class": 0.0}


def test_batches_add_up() -> None:
    metric = LocalizationError()
    for box in (NEAR, FAR, FAR, NEAR):
        prediction = {"label": torch.tensor([0]), "probability": torch.eye(2)[[0]], "box": box[None]}
        metric.update(prediction, {"label": torch.tensor([0]), "box": TRUTH[None]})
    assert float(metric.compute()["box_error_top1"]) == 0.5
