import pytest
import torch
from torch import Tensor
from torchvision.ops import box_iou

from vggexp import boxes

FORMATS: list[boxes.Format] = ["corner", "center"]


def some(seed: int, size: int = 50) -> Tensor:
    return torch.rand(size, 4, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("format", FORMATS)
def test_iou_agrees_with_torchvision(format: boxes.Format) -> None:
    a, b = some(0), some(1)
    expected = box_iou(boxes.to_edges(a, format), boxes.to_edges(b, format)).diagonal()
    assert (expected > 0).sum() > 10
    torch.testing.assert_close(boxes.iou(a, b, format), expected)


def test_lectures_example() -> None:
    """Areas 10 and 10 with intersection 5, on an image of 10 x 10: IoU 1/3, Dice 1/2."""
    a = torch.tensor([0.0, 0.0, 0.2, 0.5])  # 2 high, 5 wide
    b = torch.tensor([0.25, 0.0, 0.2, 0.5])
    assert float(boxes.area(a)) * 100 == pytest.approx(10)
    assert float(boxes.area(b)) * 100 == pytest.approx(10)
    assert float(boxes.intersection(a, b)) * 100 == pytest.approx(5)
    assert float(boxes.iou(a, b)) == pytest.approx(1 / 3)
    assert float(boxes.dice(a, b)) == pytest.approx(1 / 2)


def test_height_comes_before_width() -> None:
    """A box 0.2 high and 0.6 wide; with the two swapped it would leave the image below."""
    torch.testing.assert_close(
        boxes.to_edges(torch.tensor([0.1, 0.7, 0.2, 0.6])), torch.tensor([0.1, 0.7, 0.7, 0.9]), rtol=0, atol=1e-6
    )
    wide, tall = torch.tensor([0.0, 0.0, 0.1, 1.0]), torch.tensor([0.0, 0.0, 1.0, 0.1])
    assert float(boxes.intersection(wide, tall)) == pytest.approx(0.01)


def test_center_is_the_middle_of_the_edges() -> None:
    found = boxes.to_edges(torch.tensor([0.5, 0.4, 0.2, 0.6]), "center")
    torch.testing.assert_close(found, torch.tensor([0.2, 0.3, 0.8, 0.5]))


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
def test_formats_round_trip(source: boxes.Format, target: boxes.Format) -> None:
    a = some(2).view(5, 10, 4)
    torch.testing.assert_close(boxes.from_edges(boxes.to_edges(a, source), source), a, rtol=0, atol=1e-6)
    there = boxes.convert(a, source, target)
    torch.testing.assert_close(boxes.to_edges(there, target), boxes.to_edges(a, source), rtol=0, atol=1e-6)
    torch.testing.assert_close(boxes.convert(there, target, source), a, rtol=0, atol=1e-6)


@pytest.mark.parametrize("format", FORMATS)
def test_dice_is_a_function_of_iou(format: boxes.Format) -> None:
    a, b = some(3), some(4)
    iou = boxes.iou(a, b, format)
    torch.testing.assert_close(boxes.dice(a, b, format), 2 * iou / (1 + iou))


def test_scores_are_symmetric_and_one_for_equal_boxes() -> None:
    a, b = some(5), some(6)
    torch.testing.assert_close(boxes.iou(a, b), boxes.iou(b, a))
    torch.testing.assert_close(boxes.iou(a, a), torch.ones(50))
    torch.testing.assert_close(boxes.dice(a, a), torch.ones(50))


def test_boxes_without_area_score_zero() -> None:
    """The data have such boxes, and an untrained network predicts negative sides."""
    point, full = torch.tensor([0.3, 0.3, 0.0, 0.0]), torch.tensor([0.0, 0.0, 1.0, 1.0])
    inverted = torch.tensor([0.5, 0.5, -0.2, -0.2])
    for a, b in ((point, point), (point, full), (inverted, full), (inverted, inverted)):
        assert boxes.iou(a, b) == 0
        assert boxes.dice(a, b) == 0
    assert boxes.area(inverted) == 0


def test_boxes_apart_or_touching_share_nothing() -> None:
    a = torch.tensor([0.0, 0.0, 0.5, 0.5])
    for x, y in ((0.5, 0.0), (0.0, 0.5), (0.7, 0.7)):
        assert boxes.iou(a, torch.tensor([x, y, 0.3, 0.3])) == 0


def test_gradient_is_finite_everywhere() -> None:
    a = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5], [0.8, 0.8, 0.1, 0.1]], requires_grad=True)
    boxes.iou(a, torch.tensor([[0.0, 0.0, 0.0, 0.0]]).expand(3, 4)).sum().backward()
    assert a.grad is not None
    assert a.grad.isfinite().all()


def test_pixels_and_shares_are_inverse_and_keep_their_sides_apart() -> None:
    shares = torch.tensor([[0.25, 0.5, 0.5, 0.125]])  # x, y, h, w of an image of 32 x 64
    edges = boxes.to_pixels(shares, (32, 64))
    assert edges.tolist() == [[16.0, 16.0, 24.0, 32.0]]
    assert boxes.from_pixels(edges, (32, 64)).tolist() == shares.tolist()
