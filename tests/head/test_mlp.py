"""VGG's dense layers beside torchvision's, and the paper's parameter counts."""

import pytest
import torch
import torchvision
from torch import nn

from vggexp.backbone.vgg import VGG
from vggexp.head.mlp import MLP
from vggexp.types import HeadSpec

PARAMETERS = {"A": 132_863_336, "B": 133_047_848, "C": 133_638_952, "D": 138_357_544, "E": 143_667_240}
"""Of the whole network with its biases, for 1000 classes (arXiv 1409.1556, tables 1 and 2)."""

LETTERS = {"vgg11": "A", "vgg13": "B", "vgg16": "D", "vgg19": "E"}
FAST = {"vgg11", "vgg16_bn"}


@pytest.mark.parametrize("net", PARAMETERS)
def test_parameters_are_the_papers(net: str) -> None:
    with torch.device("meta"):
        backbone = VGG(net)
        head = MLP(HeadSpec(backbone.channels, backbone.strides, {"classification": 1000}))
    assert sum(p.numel() for p in [*backbone.parameters(), *head.parameters()]) == PARAMETERS[net]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in FAST else pytest.mark.slow)
        for letter in LETTERS
        for name in (letter, f"{letter}_bn")
    ],
)
def test_outputs_are_torchvisions(name: str) -> None:
    """Same weights, same logits; the weights are shared, not copied: there are half a gigabyte of them."""
    torch.manual_seed(0)
    reference = torchvision.models.get_model(name, weights=None, num_classes=10, init_weights=False).eval()
    for module in reference.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
    backbone = VGG(LETTERS[name.removesuffix("_bn")], batch_norm=name.endswith("_bn")).eval()
    with torch.device("meta"):
        head = MLP(HeadSpec(backbone.channels, backbone.strides, {"classification": 10})).eval()
    weights = reference.state_dict()
    backbone.load_state_dict({key: value for key, value in weights.items() if key.startswith("features.")})
    head.load_state_dict({k: v for k, v in weights.items() if k.startswith("classifier.")}, assign=True)
    images = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        expected = reference(images)
        torch.testing.assert_close(head(backbone(images)), expected, rtol=1e-5, atol=1e-5)
    assert expected.std() > 1e-3


def test_initialisation_keeps_the_signal_at_any_width() -> None:
    """Rectified units of variance 1 in, of variance 1 out: He et al. 2015, equation 10."""
    torch.manual_seed(0)
    for hidden in (64, 1024):
        head = MLP(HeadSpec((64,), (2,), {"classification": 10}), hidden=hidden, pool=1)
        for layer in (head.classifier[0], head.classifier[3]):
            assert layer.weight.std().item() == pytest.approx((2 / layer.in_features) ** 0.5, rel=0.1)
        assert head.classifier[6].weight.std().item() == pytest.approx(0.01, rel=0.1)
