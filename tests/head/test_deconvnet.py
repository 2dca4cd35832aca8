"""DeconvNet: the paper's size and widths, and unpooling by the switches."""

import pytest
import torch
from torch import Tensor, nn

from vggexp.backbone.vgg import VGG
from vggexp.head.deconvnet import DeconvNet
from vggexp.types import HeadSpec

WIDTHS = [[512, 512, 512], [512, 512, 256], [256, 256, 128], [128, 64], [64, 64]]
"""Of the deconvolutions at 14, 28, 56, 112 and 224 cells a side (arXiv 1505.04366, table 2)."""


def small(window: int = 1) -> tuple[VGG, DeconvNet]:
    torch.manual_seed(0)
    backbone = VGG("A", width=1 / 16)
    spec = HeadSpec(backbone.channels, backbone.strides, {"segmentation": 3})
    return backbone.eval(), DeconvNet(spec, hidden=8, window=window).eval()


@pytest.mark.parametrize("batch_norm", [True, False])
def test_parameters_are_the_papers(batch_norm: bool) -> None:
    with torch.device("meta"):
        backbone = VGG("D")
        spec = HeadSpec(backbone.channels, backbone.strides, {"segmentation": 21})
        head = DeconvNet(spec, batch_norm=batch_norm)
    counted = [m for m in [*backbone.modules(), *head.modules()] if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    assert sum(p.numel() for module in counted for p in module.parameters()) == 251_772_245
    normalised = sum(isinstance(module, nn.BatchNorm2d) for module in head.modules())
    assert normalised == (3 + sum(map(len, WIDTHS)) if batch_norm else 0)


def test_widths_are_the_papers() -> None:
    with torch.device("meta"):
        head = DeconvNet(HeadSpec((64, 128, 256, 512, 512), (2, 4, 8, 16, 32), {"segmentation": 21}))
    assert [[layer[0].out_channels for layer in level] for level in head.levels] == WIDTHS


@pytest.mark.parametrize(("size", "window"), [((64, 96), 2), ((95, 65), 2), ((224, 224), 7)])
def test_unpooling_follows_the_switches(size: tuple[int, int], window: int) -> None:
    """What each level is given: the deeper map's values where the maxima stood, zero elsewhere."""
    backbone, head = small(window)
    given: list[Tensor] = []
    made: list[Tensor] = []
    head.deconv_fc6.register_forward_hook(lambda _, inputs, output: made.append(output))
    for level in head.levels:
        level.register_forward_hook(lambda _, inputs, output: (given.append(inputs[0]), made.append(output))[0])
    with torch.no_grad():
        features = backbone(torch.randn(1, 3, *size), head.reads)
        head(features)
    for pooled, switch, unpooled in zip(made, reversed(features.switches), given, strict=False):
        expected = torch.zeros_like(unpooled).flatten(2).scatter(2, switch.flatten(2), pooled.flatten(2))
        assert torch.equal(unpooled.flatten(2), expected)
    assert [tuple(x.shape[-2:]) for x in given] == [(size[0] // s, size[1] // s) for s in (16, 8, 4, 2, 1)]


@pytest.mark.parametrize(("size", "window", "cells"), [((224, 224), 7, (1, 1)), ((96, 64), 2, (2, 1))])
def test_fc6_slides_over_larger_maps(size: tuple[int, int], window: int, cells: tuple[int, int]) -> None:
    backbone, head = small(window)
    shapes: list[tuple[int, ...]] = []
    head.fc7.register_forward_hook(lambda _, inputs, output: shapes.append(tuple(output.shape[-2:])))
    with torch.no_grad():
        assert head(backbone(torch.randn(1, 3, *size), head.reads)).shape == (1, 3, *size)
    assert shapes == [cells]


def test_maps_below_the_window_are_refused() -> None:
    backbone, head = small(window=7)
    features = backbone(torch.randn(1, 3, 64, 100), head.reads)
    with pytest.raises(
        ValueError, match=r"head\.window=7 .* 2x3 cells .* 64x100 pixels: set head\.window to at most 2"
    ):
        head(features)
