"""How well anchors fit objects: as the IoU with each anchor of the head says; and sizes that fit better are found."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torchvision.ops import box_iou

from tests.head.detection.cases import SIZE, features, spec
from vggexp.head.detection.fit import sizes
from vggexp.head.faster_rcnn import FasterRCNN
from vggexp.head.faster_rcnn_fpn import FasterRCNNFPN
from vggexp.head.mask_rcnn import MaskRCNN
from vggexp.head.ssd import SSD
from vggexp.types import Anchors, Features

Size = tuple[int, int]
SMALL = {"hidden": 8}


def boxes(size: Size, least: float, most: float) -> Tensor:
    """200 boxes inside the image, their sides between two shares of it."""
    generator, sides = torch.Generator().manual_seed(0), torch.tensor((size[1], size[0]))
    extent = (least + (most - least) * torch.rand(200, 2, generator=generator)) * sides
    corner = torch.rand(200, 2, generator=generator) * (sides - extent)
    return torch.cat((corner, corner + extent), 1)


def of_one_map(head: FasterRCNN, seen: Features) -> Tensor:
    regions, _, maps, _, images = head._given(seen, 1)
    found: Tensor = regions.anchor_generator(images, list(maps.values()))[0]
    return found


def of_pyramid(head: FasterRCNNFPN, seen: Features) -> Tensor:
    return head.anchors.on(list(head.pyramid(seen).values()))


def of_ssd(head: SSD, seen: Features) -> Tensor:
    return head._anchors(1, head.maps(seen), seen.size)[0]


CASES = [
    (lambda size: FasterRCNN(spec(), size, **SMALL), of_one_map),
    (lambda size: FasterRCNN(spec(), size, stride=None, **SMALL), of_one_map),
    (lambda size: FasterRCNNFPN(spec(), size, channels=8, **SMALL), of_pyramid),
    (lambda size: MaskRCNN(spec(), size, channels=8, mask_channels=8, **SMALL), of_pyramid),
    (lambda size: SSD(spec(), size, hidden=16), of_ssd),
]
NAMES = ["faster_rcnn", "faster_rcnn stride=8", "faster_rcnn_fpn", "mask_rcnn", "ssd"]


@pytest.mark.parametrize("size", [SIZE, (79, 133)])
@pytest.mark.parametrize(("make", "anchors"), CASES, ids=NAMES)
def test_the_best_overlap_is_that_of_all_anchors(
    make: Callable[[Size], nn.Module], anchors: Callable[[nn.Module, Features], Tensor], size: Size
) -> None:
    head, given = make(size).eval(), boxes(size, 0.05, 0.9)
    assert isinstance(head.anchors, Anchors)
    with torch.no_grad():
        expected = box_iou(given, anchors(head, features(head, 1, size))).amax(1)  # type: ignore[arg-type]
    torch.testing.assert_close(head.anchors.overlaps(given, size), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("make", "keys"),
    [
        (lambda **own: FasterRCNN(spec(), SIZE, **SMALL, **own), {"anchors"}),
        (lambda **own: FasterRCNNFPN(spec(), SIZE, channels=8, **SMALL, **own), {"anchor"}),
        (lambda **own: SSD(spec(), SIZE, hidden=16, **own), {"finest", "scales"}),
    ],
    ids=["faster_rcnn", "faster_rcnn_fpn", "ssd"],
)
def test_fitted_anchors_fit_small_objects_better_than_the_papers(
    make: Callable[..., nn.Module], keys: set[str]
) -> None:
    given = boxes(SIZE, 0.1, 0.2)
    usual = make().anchors
    fitted = usual.fitted(given, SIZE)
    assert fitted.keys() == keys
    better = make(**fitted).anchors
    assert better.overlaps(given, SIZE).mean() > usual.overlaps(given, SIZE).mean()
    assert not better.unset


def test_only_what_is_open_is_fitted() -> None:
    """A size that was given stays; if all were given, all could be others."""
    given = boxes(SIZE, 0.1, 0.2)
    assert SSD(spec(), SIZE, hidden=16, finest=0.3).anchors.fitted(given, SIZE).keys() == {"scales"}
    assert SSD(spec(), SIZE, hidden=16, scales=(0.3, 0.9)).anchors.unset == ("finest",)
    whole = SSD(spec(), SIZE, hidden=16, finest=0.3, scales=(0.3, 0.9)).anchors
    assert whole.fitted(given, SIZE).keys() == {"finest", "scales"}


def test_sizes_span_the_objects() -> None:
    """Equal objects, too, have several sizes around theirs to choose from."""
    found = sizes(torch.tensor([[0.0, 0.0, 20.0, 20.0]]).expand(5, -1), 100)
    assert len(found) > 3
    assert found[0] < 0.2 < found[-1]
