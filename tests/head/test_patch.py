"""The patch head on the backbone of its own, and on VGG, whose cells are blocks of pixels."""

import torch

from vggexp.backbone.vgg import VGG
from vggexp.head.patch import Patch
from vggexp.types import Features, HeadSpec


def test_a_cell_s_logits_fill_its_pixels() -> None:
    head = Patch(HeadSpec((2,), (32,), {"segmentation": 2}), hidden=[])
    stage = torch.arange(12.0).view(1, 2, 2, 3)
    with torch.no_grad():
        head.classifier[0].weight.copy_(torch.eye(2)[..., None, None])  # type: ignore[operator]
        head.classifier[0].bias.zero_()  # type: ignore[union-attr]
        found = head(Features((stage,), (64, 96)))
    assert torch.equal(found[..., 5, 40], stage[..., 0, 1])
    assert torch.equal(found[..., 32:, 64:], stage[..., 1:, 2:].expand(1, 2, 32, 32))


def test_odd_sizes_are_covered() -> None:
    vgg = VGG("A", width=1 / 16).eval()
    head = Patch(HeadSpec(vgg.channels, vgg.strides, {"segmentation": 3})).eval()
    with torch.no_grad():
        assert head(vgg(torch.randn(1, 3, 47, 70))).shape == (1, 3, 47, 70)
