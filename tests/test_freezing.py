"""What frozen means: no gradient, in no optimizer group, in eval mode whatever is called, and unmoved by training."""

import pytest
import torch
from torch import nn

from vggexp import freezing
from vggexp.backbone.vgg import VGG
from vggexp.freeze.backbone import WholeBackbone
from vggexp.freeze.none import Nothing
from vggexp.freeze.stage import FirstStages
from vggexp.head.mlp import MLP
from vggexp.optimization import make_optimizer, parameter_groups
from vggexp.types import FreezePolicy, HeadSpec, ParameterInfo


def network() -> tuple[VGG, MLP]:
    backbone = VGG("A", batch_norm=True, width=0.05)
    return backbone, MLP(HeadSpec(backbone.channels, backbone.strides, {"classification": 3}), hidden=8, pool=1)


def frozen_parameters(policy: FreezePolicy) -> list[int]:
    backbone, head = network()
    freezing.apply(policy, 0, backbone, head)
    freezing.apply(policy, 0, backbone, head)  # twice changes nothing
    return [sum(not p.requires_grad for p in part.parameters()) for part in (*backbone.stages(), head)]


def test_names_and_stages_cover_every_parameter_once() -> None:
    backbone, head = network()
    infos = list(freezing.parameter_infos(backbone, head))
    assert {id(parameter) for _, parameter in infos} == {id(p) for m in (backbone, head) for p in m.parameters()}
    assert len(infos) == len({info.name for info, _ in infos})
    names = {"backbone": backbone, "head": head}
    for info, parameter in infos:
        part, _, name = info.name.partition(".")
        assert names[part].get_parameter(name) is parameter
    assert [info.stage for info, _ in infos if info.name.startswith("backbone.features.0.")] == [1] * 2
    assert {info.stage for info, _ in infos} == {1, 2, 3, 4, 5, None}


def test_which_parts_are_frozen() -> None:
    # VGG11 with batch norm: 4 tensors a convolution, 1 1 2 2 2 convolutions; 3 dense layers of 2.
    assert frozen_parameters(Nothing()) == [0, 0, 0, 0, 0, 0]
    assert frozen_parameters(FirstStages(3)) == [4, 4, 8, 0, 0, 0]
    assert frozen_parameters(WholeBackbone()) == [4, 4, 8, 8, 8, 0]


def test_frozen_layers_stay_in_eval_mode() -> None:
    backbone, head = network()
    freezing.apply(FirstStages(2), 0, backbone, head)
    for module in (backbone, head):
        module.train()
    freezing.hold_still(backbone, head)
    for number, stage in enumerate(backbone.stages(), 1):
        layers = [layer for layer in stage if not isinstance(layer, nn.MaxPool2d)]
        assert {layer.training for layer in layers} == {number > 2}
    assert all(layer.training for layer in head.modules())


def test_a_frozen_part_takes_its_dropout_along() -> None:
    class HeadToo:
        constant = True

        def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
            return 0.0 if parameter.stage is None else 1.0

    backbone, head = network()
    freezing.apply(HeadToo(), 0, backbone, head)
    head.train()
    freezing.hold_still(backbone, head)
    assert not any(layer.training for layer in head.modules() if isinstance(layer, nn.Dropout))


def test_training_leaves_frozen_weights_and_statistics_bit_identical() -> None:
    torch.manual_seed(0)
    backbone, head = network()
    freezing.apply(FirstStages(3), 0, backbone, head)
    optimizer = make_optimizer(lambda groups: torch.optim.AdamW(groups, lr=0.1), [backbone, head], True)
    backbone.train()
    freezing.hold_still(backbone, head)
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    for _ in range(2):
        loss = head(backbone(torch.randn(4, 3, 32, 32))).square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    frozen_ids = {id(value) for stage in backbone.stages()[:3] for value in stage.state_dict(keep_vars=True).values()}
    moved = {
        name: not torch.equal(before[name], value.detach())
        for name, value in backbone.state_dict(keep_vars=True).items()
        if id(value) in frozen_ids
    }
    assert len(moved) == 4 * 7  # weight, bias of 4 convolutions and 4 norms; mean, variance, count of 4 norms
    assert not any(moved.values())
    last = backbone.stages()[-1][0]
    assert any(last is layer for layer in backbone.features)
    assert not all(torch.equal(before[n], v) for n, v in backbone.state_dict().items())


def test_frozen_parameters_are_in_no_group() -> None:
    backbone, head = network()
    freezing.apply(WholeBackbone(), 0, backbone, head)
    groups = parameter_groups([backbone, head], decay_biases_and_norms=True)
    grouped = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(grouped) == sorted(id(parameter) for parameter in head.parameters())


@pytest.mark.parametrize("decayed", [True, False])
def test_each_trainable_parameter_is_in_one_group(decayed: bool) -> None:
    backbone, head = network()
    groups = parameter_groups([backbone, head], decay_biases_and_norms=decayed)
    grouped = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(grouped) == sorted(id(p) for m in (backbone, head) for p in m.parameters())


def test_weight_decay_spares_biases_and_norms_when_asked() -> None:
    backbone, head = network()
    decayed, spared = parameter_groups([backbone, head], decay_biases_and_norms=False)
    assert all(parameter.ndim > 1 for parameter in decayed["params"])
    assert all(parameter.ndim == 1 for parameter in spared["params"])
    assert "weight_decay" not in decayed
    assert spared["weight_decay"] == 0


def test_nothing_left_to_train() -> None:
    backbone, head = network()
    for parameter in (*backbone.parameters(), *head.parameters()):
        parameter.requires_grad_(False)
    with pytest.raises(ValueError, match="nothing is left to train"):
        make_optimizer(torch.optim.SGD, [backbone, head], True)
