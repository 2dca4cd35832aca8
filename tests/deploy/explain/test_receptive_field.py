"""The receptive field by the recursion, against which pixels change a cell."""

import pytest
import torch
from torch import nn

from vggexp.backbone.vgg import VGG
from vggexp.deploy.explain.receptive_field import receptive_fields


def test_vgg16s_fields_are_those_that_are_known() -> None:
    fields = receptive_fields(VGG("D", width=0.05).stages())
    assert [field.size for field in fields] == [6, 16, 44, 100, 212]
    assert [field.jump for field in fields] == [2, 4, 8, 16, 32]


@pytest.mark.parametrize("net", ["A", "C"])
def test_a_cell_changes_with_the_pixels_at_its_edges_and_with_none_beyond(net: str) -> None:
    """Positive weights and inputs of zero: every brighter pixel within the field raises the cell."""
    backbone = VGG(net, width=0.02)
    for parameter in backbone.parameters():
        nn.init.constant_(parameter, 0.5 if parameter.dim() > 1 else 0.0)
    stages = backbone.stages()[:3]
    field, cell = receptive_fields(stages)[-1], 5
    first, last = (int(edge) for edge in field.edges(cell))

    @torch.no_grad()
    def value(pixel: int) -> float:
        image = torch.zeros(1, 3, 96, 96)
        image[:, :, (first + last) // 2, pixel] = 1
        for stage in stages:
            image = stage(image)
        return float(image[0, 0, cell, cell])

    assert [value(pixel) > 0 for pixel in (first - 1, first, last - 1, last)] == [False, True, True, False]


def test_what_is_no_chain_is_told() -> None:
    with pytest.raises(ValueError, match="Linear is no convolution"):
        receptive_fields([nn.Sequential(nn.Conv2d(3, 3, 3), nn.Linear(2, 2))])
    with pytest.raises(ValueError, match="not square"):
        receptive_fields([nn.Conv2d(3, 3, (1, 3))])
