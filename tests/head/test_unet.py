"""U-Net: its levels, its odd sizes and its cost."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vggexp.backbone.vgg import VGG
from vggexp.head.unet import Level, UNet
from vggexp.types import Features, HeadSpec

VGG16 = HeadSpec((64, 128, 256, 512, 512), (2, 4, 8, 16, 32), {"segmentation": 21})


def test_levels_are_the_papers_at_full_width_and_one_below() -> None:
    with torch.device("meta"):
        head = UNet(VGG16, width=1)
    assert [level.up.out_channels for level in head.levels] == [512, 512, 256, 128, 64]
    joined = [next(m for m in level.convolutions if isinstance(m, nn.Conv2d)).in_channels for level in head.levels]
    assert joined == [1024, 1024, 512, 256, 128]
    assert {level.up.kernel_size for level in head.levels} == {(2, 2)}


def test_cost_is_what_the_docstring_says() -> None:
    with torch.device("meta"):
        backbone, half, whole = VGG("D"), UNet(VGG16), UNet(VGG16, width=1)
        images = torch.empty(1, 3, 224, 224)
        with FlopCounterMode(display=False) as counter:
            features = backbone(images, half.reads)
        convolutions = counter.get_total_flops()
        costs = []
        for head in (half, whole):
            with FlopCounterMode(display=False) as counter:
                head(features)
            costs.append(counter.get_total_flops() / convolutions)
    assert 0.4 < costs[0] < 0.6
    assert costs[1] > 1


def test_an_odd_row_repeats_its_neighbour() -> None:
    torch.manual_seed(0)
    level = Level(4, 2, 3, batch_norm=False)
    joined = []
    level.convolutions.register_forward_hook(lambda _, inputs, output: joined.append(inputs[0]))
    x, skip = torch.randn(1, 4, 3, 2), torch.randn(1, 2, 7, 5)
    assert level(x, skip).shape == (1, 3, 7, 5)
    assert torch.equal(joined[0][:, :2], skip)
    assert torch.equal(joined[0][:, 2:, :6, :4], level.up(x))
    assert torch.equal(joined[0][:, 2:, 6], joined[0][:, 2:, 5])
    assert torch.equal(joined[0][..., 2:, :, 4], joined[0][..., 2:, :, 3])


def test_every_skip_and_the_last_stage_matter() -> None:
    torch.manual_seed(0)
    channels = (4, 8, 16)
    head = UNet(HeadSpec(channels, (2, 4, 8), {"segmentation": 3}))
    skips = tuple(torch.randn(2, c, 24 >> k, 17 >> k, requires_grad=True) for k, c in enumerate(channels))
    last = torch.randn(2, 16, 3, 2, requires_grad=True)
    unread = torch.full((2, 1, 1, 1), torch.nan)
    logits = head(Features((unread, unread, last), (24, 17), skips))
    logits.square().sum().backward()
    assert logits.shape == (2, 3, 24, 17)
    assert all(skip.grad is not None and skip.grad.any() for skip in (*skips, last))
