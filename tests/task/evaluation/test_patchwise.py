"""Pixel by pixel: the network gets each pixel's own patch, and its centre's scores are that pixel's."""

import torch
from torch import Tensor

from vggexp.backbone.patch import Patch
from vggexp.head.patch import Patch as PatchHead
from vggexp.loss.cross_entropy import CrossEntropy
from vggexp.task.evaluation.patchwise import Patchwise
from vggexp.task.segmentation import Segmentation
from vggexp.types import DataInfo, HeadSpec

TASK = Segmentation(DataInfo((), ("a", "b", "c")), CrossEntropy())


def test_a_network_that_shows_the_centre_shows_the_image() -> None:
    image = torch.randint(0, 256, (2, 3, 7, 9), dtype=torch.uint8)
    found = Patchwise(batch_size=10, patch_side=5).outputs(lambda seen: seen.float(), TASK, image)
    assert torch.equal(found, image.float())


def test_slid_over_the_image_and_fully_convolutional_are_the_same() -> None:
    torch.manual_seed(0)
    backbone = Patch(13, (1, 1), 4).eval()
    head = PatchHead(HeadSpec(backbone.channels, backbone.strides, {"segmentation": 3}), hidden=[5]).eval()

    def forward(images: Tensor) -> Tensor:
        found: Tensor = head(backbone(backbone.normalize(images)))
        return found

    image = torch.randint(0, 256, (1, 3, 15, 19), dtype=torch.uint8)
    with torch.no_grad():
        slid, dense = Patchwise(64, 13).outputs(forward, TASK, image), forward(image)
    torch.testing.assert_close(slid, dense, rtol=1e-4, atol=1e-5)
