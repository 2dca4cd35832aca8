"""OverFeat's networks against the paper's tables 1 and 3."""

import pytest
import torch
import yaml

from vggexp.backbone.overfeat import OverFeat
from vggexp.config.help import CONF
from vggexp.head.mlp import MLP
from vggexp.types import Backbone, HeadSpec


@pytest.mark.parametrize(
    ("net", "side", "cells", "strides", "units", "millions"),
    [
        ("fast", 231, [28, 12, 12, 12, 6], (8, 16, 16, 16, 32), [3072, 4096], 145),
        ("accurate", 221, [36, 15, 15, 15, 5], (6, 12, 12, 12, 36), [4096, 4096], 144),
    ],
)
def test_maps_strides_and_parameters_are_the_papers(
    net: str, side: int, cells: list[int], strides: tuple[int, ...], units: list[int], millions: int
) -> None:
    with torch.device("meta"):
        backbone = OverFeat(net)
        assert isinstance(backbone, Backbone)
        features = backbone(torch.empty(1, 3, side, side))
        head = MLP(HeadSpec(backbone.channels, backbone.strides, {"classification": 1000}), units, pool=cells[-1])
    assert [stage.shape[-1] for stage in features.stages] == cells
    assert [stage.shape[1] for stage in features.stages] == list(backbone.channels)
    assert backbone.strides == strides
    weights = sum(one.numel() for part in (backbone, head) for one in part.parameters() if one.ndim > 1)
    assert weights // 10**6 == millions  # table 4


@pytest.mark.parametrize("name", ["overfeat_fast", "overfeat_accurate"])
def test_the_smallest_image_leaves_one_cell(name: str) -> None:
    content = yaml.safe_load((CONF / "backbone" / f"{name}.yaml").read_text())
    backbone = OverFeat(content["net"], batch_norm=True, width=0.02).eval()
    least = content["smallest"]
    assert backbone(torch.randn(1, 3, least, least)).stages[-1].shape[-2:] == (1, 1)
    with pytest.raises(RuntimeError):
        backbone(torch.randn(1, 3, least - 1, least - 1))


def test_a_cached_stage_goes_on_and_all_parameters_are_in_a_stage() -> None:
    backbone = OverFeat("accurate", width=0.02).eval()
    images = torch.randn(2, 3, 100, 90)
    with torch.no_grad():
        whole = backbone(images)
        rest = backbone(whole.stages[2], start=3, size=(100, 90))
    torch.testing.assert_close(rest.stages[-1], whole.stages[-1])
    in_stages = [id(one) for stage in backbone.stages() for one in stage.parameters()]
    assert sorted(in_stages) == sorted(id(one) for one in backbone.parameters())


def test_another_net_is_one_line() -> None:
    with pytest.raises(ValueError, match=r"backbone.net=slow: choose from: fast, accurate"):
        OverFeat("slow")
