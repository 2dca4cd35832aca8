"""Each head has the losses of torchvision's whole detector, with the same weights, on the same feature maps."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import detection
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.ssd import SSD as TorchvisionSSD  # noqa: N811
from torchvision.ops import MultiScaleRoIAlign

from tests.head.detection.cases import CLASSES, features, objects, spec
from vggexp.head.detection.targets import renamed
from vggexp.head.faster_rcnn import FasterRCNN
from vggexp.head.faster_rcnn_fpn import FasterRCNNFPN
from vggexp.head.fcos import FCOS
from vggexp.head.mask_rcnn import MaskRCNN
from vggexp.head.ssd import SSD
from vggexp.types import Features, ObjectList

SIZE = (128, 128)
"""Every map's stride divides it: torchvision finds the strides by dividing."""
OBJECTS = ObjectList(
    [
        objects((4, 6, 18, 22), (10, 20, 70, 90), (64, 64, 120, 100), (0, 0, 128, 128), size=SIZE),
        objects((30, 40, 62, 60), (35, 38, 61, 62), size=SIZE),
    ]
)
REGIONS = {"samples": 16, "proposals": 30}
PLAIN = {"image_mean": [0.0] * 3, "image_std": [1.0] * 3}


class Given(nn.Module):
    """A backbone that has these maps for any image."""

    def __init__(self, maps: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.maps = OrderedDict(maps)
        self.out_channels = next(iter(maps.values())).shape[1]

    def forward(self, _images: Tensor) -> dict[str, Tensor]:
        return self.maps


def fcos() -> tuple[FCOS, Callable[[Features], nn.Module]]:
    head = FCOS(spec(), channels=64, convolutions=1)

    def theirs(seen: Features) -> nn.Module:
        maps = head.pyramid(seen)
        cells = AnchorGenerator(tuple((stride,) for stride in head.pyramid.strides.values()), ((1.0,),) * len(maps))
        found: nn.Module = detection.FCOS(Given(maps), CLASSES, *SIZE, anchor_generator=cells, head=head.head, **PLAIN)
        return found

    return head, theirs


def ssd() -> tuple[SSD, Callable[[Features], nn.Module]]:
    head = SSD(spec(), SIZE, hidden=32)

    def theirs(seen: Features) -> nn.Module:
        maps = {str(place): value for place, value in enumerate(head.maps(seen))}
        given: Any = Given(maps)
        found: nn.Module = TorchvisionSSD(given, head.anchors, SIZE, CLASSES + 1, head=head.head, **PLAIN)
        return found

    return head, theirs


def faster_rcnn() -> tuple[FasterRCNN, Callable[[Features], nn.Module]]:
    head = FasterRCNN(spec(), SIZE, hidden=32, stride=16, **REGIONS)

    def theirs(seen: Features) -> nn.Module:
        sides = tuple(share * SIZE[0] for share in (0.2, 0.4, 0.8))
        found: nn.Module = detection.FasterRCNN(
            Given({"0": seen.skips[-1]}), None, *SIZE, rpn_head=head.proposer,
            rpn_anchor_generator=AnchorGenerator((sides,), ((0.5, 1.0, 2.0),)),
            box_roi_pool=MultiScaleRoIAlign(["0"], 7, 2), box_head=head.classifier, box_predictor=head.predictor,
            box_batch_size_per_image=REGIONS["samples"], **PLAIN,
        )  # fmt: skip
        return found

    return head, theirs


def faster_rcnn_fpn(masks: bool = False) -> tuple[nn.Module, Callable[[Features], nn.Module]]:
    head = (MaskRCNN if masks else FasterRCNNFPN)(spec(), SIZE, channels=16, hidden=32, **REGIONS)  # type: ignore[arg-type]
    own, kept = head.roi_heads, 2 * REGIONS["proposals"]
    branch = {"mask_head": own.mask_head, "mask_predictor": own.mask_predictor} if masks else {}

    def theirs(seen: Features) -> nn.Module:
        maps = head.pyramid(seen)
        four, five = list(maps)[:4], head.pyramid.strides.values()
        pools = {"box_roi_pool": MultiScaleRoIAlign(four, 7, 2)}
        if masks:
            pools["mask_roi_pool"] = MultiScaleRoIAlign(four, 14, 2)
        found: nn.Module = (detection.MaskRCNN if masks else detection.FasterRCNN)(
            Given(maps), None, *SIZE, rpn_head=head.rpn.head,
            rpn_anchor_generator=AnchorGenerator(tuple((4 * stride,) for stride in five), ((0.5, 1.0, 2.0),) * 5),
            rpn_pre_nms_top_n_train=kept, rpn_post_nms_top_n_train=kept,
            box_head=own.box_head, box_predictor=own.box_predictor,
            box_batch_size_per_image=REGIONS["samples"], **pools, **branch, **PLAIN,
        )  # fmt: skip
        return found

    return head, theirs


def mask_rcnn() -> tuple[nn.Module, Callable[[Features], nn.Module]]:
    return faster_rcnn_fpn(masks=True)


@pytest.mark.parametrize("make", [faster_rcnn, faster_rcnn_fpn, fcos, mask_rcnn, ssd])
def test_the_losses_are_torchvisions(make: Callable[[], tuple[Any, Callable[[Features], nn.Module]]]) -> None:
    torch.manual_seed(0)
    head, theirs = make()
    seen = features(head, 2, SIZE)
    background = int(make is not fcos)
    targets = [{"boxes": one.boxes, "labels": one.labels + background, "masks": one.masks} for one in OBJECTS]
    network: Any = theirs(seen).train()
    network.transform.torch_choice = lambda sizes: sizes[0]  # it draws a number to choose from one size
    torch.manual_seed(0)  # both draw the samples and what is dropped
    expected = network([torch.zeros(3, *SIZE)] * 2, targets)
    torch.manual_seed(0)
    found = head.train()(seen, {"objects": OBJECTS})
    assert found.keys() == renamed(expected).keys()
    assert all(value > 0 for value in found.values())
    torch.testing.assert_close(found, renamed(expected))
