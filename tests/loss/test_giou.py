import pytest
import torch
from torchvision.ops import generalized_box_iou

from vggexp import boxes
from vggexp.loss.giou import GIoU


@pytest.mark.parametrize("format", ["corner", "center"])
def test_reads_the_format(format: boxes.Format) -> None:
    torch.manual_seed(0)
    a, b = torch.rand(5, 4) / 2, torch.rand(5, 4) / 2
    expected = 1 - generalized_box_iou(boxes.to_edges(a, format), boxes.to_edges(b, format)).diagonal().mean()
    torch.testing.assert_close(GIoU()(a, b, format), expected)


def test_height_before_width() -> None:
    """A tall box against a wide one of the same corner and area: 0.1 of 0.2 x 0.2 shared, hull 0.4 x 0.4 ."""
    tall, wide = torch.tensor([[0.0, 0.0, 0.4, 0.2]]), torch.tensor([[0.0, 0.0, 0.2, 0.4]])
    union, hull = 0.08 + 0.08 - 0.04, 0.16
    expected = 1 - (0.04 / union - (hull - union) / hull)
    assert float(GIoU()(tall, wide)) == pytest.approx(expected, abs=1e-5)


def test_boxes_apart_still_have_a_gradient() -> None:
    box = torch.tensor([[0.0, 0.0, 0.1, 0.1]], requires_grad=True)
    loss = GIoU()(box, torch.tensor([[0.8, 0.8, 0.1, 0.1]]))
    loss.backward()
    assert loss > 1
    assert box.grad is not None
    assert (box.grad[0, :2] < 0).all()


def test_boxes_without_area_are_finite() -> None:
    box = torch.zeros(2, 4, requires_grad=True)
    GIoU()(box, torch.zeros(2, 4)).backward()
    assert box.grad is not None
    assert box.grad.isfinite().all()
