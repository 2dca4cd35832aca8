"""A deep net that starts from net A's first four convolutions."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import save_file

from vggexp.backbone.vgg import VGG
from vggexp.config.help import CONF
from vggexp.errors import ConfigError
from vggexp.trainer.build import build
from vggexp.transfer.backbone import load_backbone


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return bool(a) and a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def backbone(name: str, **changes: Any) -> tuple[VGG, dict[str, Any]]:
    config = {**yaml.safe_load((CONF / "backbone" / f"{name}.yaml").read_text()), "width": 0.05, **changes}
    made: VGG = build("backbone", config)
    return made, config


@pytest.mark.parametrize(("shallow", "deep"), [("vgg11", "vgg16"), ("vgg11_bn", "vgg19_bn"), ("vgg11", "vgg_c")])
def test_the_first_four_convolutions_of_net_a(shallow: str, deep: str, tmp_path: Path) -> None:
    source, _ = backbone(shallow)
    for tensor in source.state_dict().values():
        tensor.copy_(torch.rand(tensor.shape))
    save_file(source.state_dict(), tmp_path / "a.safetensors")
    made, config = backbone(deep, weights_map="vgg_a")
    fresh = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    report = load_backbone(made, str(tmp_path / "a.safetensors"), config)
    assert report is not None
    given, bn = source.stages(), "bn" in shallow
    taken = 0
    for stage, (one, other) in enumerate(zip(given, made.stages(), strict=True)):
        for place in range((1, 1, 2, 0, 0)[stage] * (2 if bn else 1)):
            at = place if bn else 2 * place  # convolution, [norm,] ReLU
            at += place // 2 if bn else 0
            assert same(one[at].state_dict(), other[at].state_dict())
            taken += len(one[at].state_dict())
    assert taken == len(report.loaded) == (4 * 7 if bn else 4 * 2)
    left = made.state_dict().keys() - report.loaded
    assert all(torch.equal(fresh[name], made.state_dict()[name]) for name in left)
    assert report.initial == (f"the {len(left)} tensors of other layers",)


@pytest.mark.parametrize(
    ("source", "deep", "message"),
    [
        (backbone("vgg13"), "vgg16", "is not net A: its 10 convolutions"),
        (backbone("vgg_a_lrn"), "vgg16", "is not net A"),
        (backbone("vgg11"), "vgg11", "this backbone is net A itself"),
        (backbone("vgg11_bn"), "vgg16", "has batch normalisation and this backbone has none"),
        (backbone("vgg11"), "vgg16_bn", "has no batch normalisation"),
        (backbone("vgg11", width=0.1), "vgg16", r"is \(6, 3, 3, 3\), and this backbone takes \(3, 3, 3, 3\)"),
    ],
)
def test_what_is_not_net_a(source: tuple[VGG, Any], deep: str, message: str, tmp_path: Path) -> None:
    save_file(source[0].state_dict(), tmp_path / "a.safetensors")
    made, config = backbone(deep, weights_map="vgg_a")
    with pytest.raises(ConfigError, match=message):
        load_backbone(made, str(tmp_path / "a.safetensors"), config)
