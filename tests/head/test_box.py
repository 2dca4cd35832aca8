"""The box regressor: its layers are OverFeat's, its outputs shares of the image."""

import pytest
import torch
from torch import nn

from vggexp.head.box import Box
from vggexp.types import Features, HeadSpec

SPEC = HeadSpec((8,), (2,), {"localization": 10})


def features(scale: float = 1.0) -> Features:
    torch.manual_seed(0)
    return Features((scale * torch.randn(3, 8, 5, 6),), (10, 12))


def test_layers_are_overfeats() -> None:
    with torch.device("meta"):
        head = Box(HeadSpec((512,), (32,), {"localization": 1000}))
    layers = [layer for layer in head.modules() if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in layers] == [(25088, 4096), (4096, 1024), (1024, 4)]


def test_coordinates_stay_within_the_image() -> None:
    boxes = Box(SPEC, hidden=[16], pool=2)(features(scale=1e4))
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    assert {boxes.min().item(), boxes.max().item()} == {0.0, 1.0}


def test_silent_units_give_the_middle() -> None:
    head = Box(SPEC, hidden=[16], pool=2)
    nn.init.zeros_(head.regressor[-1].weight)
    nn.init.zeros_(head.regressor[-1].bias)
    assert torch.equal(head(features()), torch.full((3, 4), 0.5))


def test_no_hidden_layer_is_a_linear_regressor() -> None:
    head = Box(SPEC, hidden=[], pool=1)
    assert sum(p.numel() for p in head.parameters()) == 8 * 4 + 4


def test_coordinates_are_float32_under_autocast() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert Box(SPEC, hidden=[16], pool=2)(features()).dtype == torch.float32


def test_hidden_must_be_a_list() -> None:
    with pytest.raises(ValueError, match=r"head\.hidden=8 must be a list.*head\.hidden=\[8\]"):
        Box(SPEC, hidden=8)  # type: ignore[arg-type]
