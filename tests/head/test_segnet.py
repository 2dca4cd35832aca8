"""SegNet: its layers mirror VGG16's, and what it unpools lies where the pooling took it from."""

import torch
from torch import nn

from vggexp.backbone.vgg import VGG
from vggexp.head.segnet import SegNet
from vggexp.types import HeadSpec


def spec(width: float = 1.0) -> HeadSpec:
    with torch.device("meta"):
        vgg = VGG("D", width=width)
    return HeadSpec(vgg.channels, vgg.strides, {"segmentation": 11})


def test_thirteen_convolutions_mirror_vgg16() -> None:
    with torch.device("meta"):
        head = SegNet(spec(), batch_norm=True)
    layers = [one for one in head.modules() if isinstance(one, nn.Conv2d)]
    widths = [(one.in_channels, one.out_channels) for one in layers]
    encoder = [
        (one.out_channels, one.in_channels) for one in VGG("D", width=1 / 64).modules() if isinstance(one, nn.Conv2d)
    ]
    mirrored = [(a * 64, b * 64) for a, b in reversed(encoder[1:])]
    assert widths[:-1] == mirrored  # the encoder's first layer takes colours; its mirror image gives classes
    assert widths[-1] == (64, 11)
    assert len(widths) == 13
    assert sum(isinstance(one, nn.BatchNorm2d) for one in head.modules()) == 12


def test_an_activation_comes_back_to_its_pixel() -> None:
    """With convolutions that copy, a lone bright pixel is where it was: unpooling follows the switches."""
    vgg, head = (
        VGG("A", width=1 / 64).eval(),
        SegNet(HeadSpec((1, 2, 4, 8, 8), (2, 4, 8, 16, 32), {"segmentation": 2}), False),
    )
    for one in [*vgg.modules(), *head.modules()]:
        if isinstance(one, nn.Conv2d):
            nn.init.zeros_(one.weight)
            nn.init.zeros_(one.bias)  # type: ignore[arg-type]
            one.weight.data[:, 0, 1, 1] = 1.0
    image = torch.zeros(1, 3, 64, 96)
    image[0, 0, 37, 58] = 5.0
    with torch.no_grad():
        found = head(vgg(image, head.reads))[0, 0]
    assert found.nonzero().tolist() == [[37, 58]]
