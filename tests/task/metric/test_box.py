import math
import warnings

import pytest
import torch
from torch import Tensor
from torchvision.ops import box_iou

from vggexp.boxes import of_label
from vggexp.task.metric.box import BoxMetrics


def edges(boxes: Tensor) -> Tensor:
    x, y, h, w = boxes.unbind(1)
    return torch.stack((x, y, x + w, y + h), 1)


def data() -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    truth = torch.rand(40, 4) * 0.5 + 0.05
    return (truth + 0.1 * torch.randn(40, 4)).clamp(min=0.01), truth


def test_agrees_with_torchvision() -> None:
    box, truth = data()
    metrics = BoxMetrics()
    metrics.update({"box": box[:9]}, {"box": truth[:9]})
    metrics.update({"box": box[9:]}, {"box": truth[9:]})
    iou = box_iou(edges(box), edges(truth)).diagonal().double()
    expected = {"box_iou": iou, "box_dice": 2 * iou / (1 + iou), "box_accuracy": (iou > 0.5).double()}
    found = metrics.compute()
    assert found.keys() == expected.keys()
    assert 0 < float(found["box_accuracy"]) < 1
    for name, values in expected.items():
        assert float(found[name]) == pytest.approx(float(values.mean()), rel=1e-5)


def test_iou_of_exactly_one_half_is_not_above_it() -> None:
    metrics = BoxMetrics()
    truth = torch.tensor([[0.0, 0.0, 0.5, 1.0]])
    metrics.update({"box": torch.tensor([[0.0, 0.0, 1.0, 1.0]])}, {"box": truth})
    assert metrics.compute()["box_iou"] == 0.5
    assert metrics.compute()["box_accuracy"] == 0


def test_one_box_a_class_scores_the_true_class() -> None:
    box, truth = data()
    label = torch.arange(40) % 3
    each = torch.zeros(40, 3, 4)
    each[torch.arange(40), label] = box
    assert torch.equal(of_label(each, label), box)
    one, many = BoxMetrics(), BoxMetrics()
    one.update({"box": box}, {"box": truth})
    many.update({"box_per_class": each}, {"box": truth, "label": label})
    assert one.compute() == many.compute()


def test_without_any_box_is_nan() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchmetrics: computed before updated
        assert all(math.isnan(value) for value in BoxMetrics().compute().values())
