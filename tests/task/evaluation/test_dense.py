"""Dense evaluation: the dense layers as convolutions are the head itself, wherever it could be cut out."""

import pytest
import torch
from torch import Tensor, nn

from vggexp.backbone.vgg import VGG
from vggexp.head.box import Box
from vggexp.head.linear import Linear
from vggexp.head.mlp import MLP
from vggexp.loss.cross_entropy import CrossEntropy
from vggexp.task.classification import Classification
from vggexp.task.evaluation.dense import Dense
from vggexp.types import DataInfo, Features, HeadSpec, Slides

TASK = Classification(DataInfo(("a", "b", "c"), ()), CrossEntropy())
SPEC = HeadSpec((4, 8, 8, 16, 16), (2, 4, 8, 16, 32), {"classification": 3})


def lively(head: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    for parameter in head.parameters():
        nn.init.normal_(parameter, std=0.2, generator=generator)
    return head.eval()


def features(height: int, width: int) -> Features:
    stage = torch.randn(2, 16, height, width, generator=torch.Generator().manual_seed(1))
    return Features((stage,) * 5, (32 * height, 32 * width))


def window(whole: Features, top: int, left: int, grid: tuple[int, int]) -> Features:
    part = whole.stages[-1][..., top : top + grid[0], left : left + grid[1]]
    return Features((part,) * 5, (32 * grid[0], 32 * grid[1]))


HEADS = {
    "vgg": (MLP(SPEC, hidden=12, pool=7), (7, 7)),
    "pooled": (MLP(SPEC, hidden=12, pool=2), (4, 6)),
    "of one cell": (MLP(SPEC, hidden=12, pool=1), (2, 2)),
    "linear": (Linear(SPEC), (7, 7)),
    "box": (Box(SPEC, hidden=[12, 5], pool=2), (4, 4)),
}


@pytest.mark.parametrize("name", HEADS)
def test_the_map_holds_the_head_s_output_for_each_window(name: str) -> None:
    head, grid = HEADS[name]
    lively(head)
    assert isinstance(head, Slides)
    whole = features(9, 8)
    with torch.no_grad():
        found = head.maps(whole, grid)
        assert found.shape[-2:] == (10 - grid[0], 9 - grid[1])
        for top in range(found.shape[-2]):
            for left in range(found.shape[-1]):
                torch.testing.assert_close(found[..., top, left], head(window(whole, top, left, grid)))


def test_a_pooling_that_is_no_convolution_is_told() -> None:
    with pytest.raises(ValueError, match=r"head.pool=3 does not divide the 7 x 7 cells"):
        MLP(SPEC, hidden=12, pool=3).maps(features(9, 9), (7, 7))


def test_dense_is_the_plain_network_on_a_crop_of_224() -> None:
    """The issue's equality, through the whole network: VGG's convolutions, 7 x 7 and 1 x 1 in place of dense layers."""
    torch.manual_seed(0)
    vgg, head = VGG("A", width=1 / 16).eval(), None
    head = lively(MLP(HeadSpec(vgg.channels, vgg.strides, {"classification": 3}), hidden=16))
    image = torch.randint(0, 256, (1, 3, 224, 224), dtype=torch.uint8)

    def forward(images: Tensor) -> Tensor:
        found: Tensor = head(vgg(vgg.normalize(images)))
        return found

    def maps(images: Tensor) -> Tensor:
        found: Tensor = head.maps(vgg(vgg.normalize(images)), (7, 7))  # type: ignore[operator]
        return found

    with torch.no_grad():
        assert maps(image).shape == (1, 3, 1, 1)
        torch.testing.assert_close(maps(image)[..., 0, 0], forward(image))
        both = Dense([224, 224], maps, sides=[224])(forward, TASK, image)["probability"]
        expected = (forward(image).softmax(1) + forward(image.flip(-1)).softmax(1)) / 2
    torch.testing.assert_close(both, expected)
    assert (expected - forward(image).softmax(1)).abs().max() > 1e-4


def test_scores_are_averaged_over_the_map_and_probabilities_over_scales() -> None:
    """By hand: a map that depends on the image's width."""

    def maps(images: Tensor) -> Tensor:
        size = images.shape[-1]
        found = torch.zeros(len(images), 3, 1, 2)
        found[:, 0, 0, 0], found[:, 1, 0, 1] = size / 10, 4.0
        return found

    found = Dense([32, 32], maps, sides=[40, 60], flip=False)(maps, TASK, torch.zeros(1, 3, 50, 50, dtype=torch.uint8))
    expected = (torch.tensor([2.0, 2.0, 0]).softmax(0) + torch.tensor([3.0, 2.0, 0]).softmax(0)) / 2
    torch.testing.assert_close(found["probability"][0], expected)
