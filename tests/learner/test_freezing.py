"""What frozen means: no gradient, moved by no optimizer, in eval mode whatever is called, unmoved by training."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from vggexp.backbone.vgg import VGG
from vggexp.freeze.auto import Auto
from vggexp.freeze.backbone import WholeBackbone
from vggexp.freeze.bias import BiasOnly
from vggexp.freeze.gradual import Gradual
from vggexp.freeze.linear_probe import LinearProbe
from vggexp.freeze.lora import Lora
from vggexp.freeze.none import Nothing
from vggexp.freeze.norm import NormOnly
from vggexp.freeze.pattern import Pattern
from vggexp.freeze.ssf import ScaleShift
from vggexp.freeze.stage import Stages
from vggexp.freeze.surgical import Surgical
from vggexp.freeze.thaw import Thaw
from vggexp.head.mlp import MLP
from vggexp.learner.freezing import Freezing
from vggexp.learner.optimizer import begin_epoch, make_optimizer, parameter_groups
from vggexp.types import FreezePolicy, HeadSpec, ParameterInfo

POLICIES: list[FreezePolicy] = [
    Nothing(), WholeBackbone(), Stages(3), Stages([2, 5]), Gradual(), LinearProbe(2), NormOnly(), BiasOnly(),
    Pattern([r"features\.0\.", "classifier"]), Auto(), Surgical(), Thaw(), Lora(2, [4]), ScaleShift(),
]  # fmt: skip
ROWS = [[[5.0] * 5, [4.9, 5, 9, 5, 5]], [[1.0, 3, 2, 1, 1]], [[0.0] * 5 + [2.0], [0.0] * 5 + [1.0]]]
for measured, row in zip(POLICIES[9:12], ROWS, strict=True):
    measured.measured = row  # type: ignore[attr-defined]
EPOCHS = 7


class HeadToo:
    constant = True

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        return 0.0 if parameter.stage is None else 1.0


def bound(policy: FreezePolicy, **settings: object) -> Freezing:
    backbone = VGG("A", batch_norm=True, width=0.05)
    head = MLP(HeadSpec(backbone.channels, backbone.strides, {"classification": 3}), hidden=8, pool=1)
    return Freezing(policy, backbone, head, **settings)  # type: ignore[arg-type]


def step(freezing: Freezing, optimizer: Optimizer) -> None:
    """One training step; the head reads the backbone's last stage."""
    x = torch.randn(4, 3, 32, 32)
    for stage in list(freezing.parts.values())[:5]:
        x = stage(x)
    head = freezing.parts["head"]
    assert isinstance(head, MLP)
    loss = head.classifier(head.avgpool(x).flatten(1)).square().sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def state(freezing: Freezing) -> dict[str, torch.Tensor]:
    return {name: t.detach().clone() for part in freezing.tensors().values() for name, t in part.items()}


def frozen_parameters(policy: FreezePolicy) -> list[int]:
    freezing = bound(policy)
    freezing.apply(0)
    freezing.apply(0)  # twice changes nothing
    return [sum(not p.requires_grad for p in part.parameters()) for part in freezing.parts.values()]


def test_names_and_stages_cover_every_parameter_once() -> None:
    freezing = bound(Nothing())
    tensors = {name: tensor for part in freezing.tensors().values() for name, tensor in part.items()}
    assert len(tensors) == 8 * 7 + 6
    assert all(tensors[info.name] is parameter for info, parameter in freezing.parameters)
    assert len(freezing.parameters) == 8 * 4 + 6
    assert [info.stage for info, _ in freezing.parameters if info.name.startswith("backbone.features.0.")] == [1] * 2
    assert {info.stage for info, _ in freezing.parameters} == {1, 2, 3, 4, 5, None}
    assert sum(info.is_norm for info, _ in freezing.parameters) == 16
    assert sum(info.is_bias for info, _ in freezing.parameters) == 8 + 8 + 3


def test_which_parts_are_frozen() -> None:
    # VGG11 with batch norm: 4 tensors a convolution, 1 1 2 2 2 convolutions; 3 dense layers of 2.
    assert frozen_parameters(Nothing()) == [0, 0, 0, 0, 0, 0]
    assert frozen_parameters(Stages(3)) == [4, 4, 8, 0, 0, 0]
    assert frozen_parameters(WholeBackbone()) == [4, 4, 8, 8, 8, 0]
    assert frozen_parameters(NormOnly()) == [2, 2, 4, 4, 4, 0]
    assert frozen_parameters(BiasOnly()) == [2, 2, 4, 4, 4, 0]


@pytest.mark.parametrize("create", [lambda g: SGD(g, 1e-3, momentum=0.9, weight_decay=0.1), lambda g: AdamW(g, 1e-3)])
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: type(policy).__name__)
def test_training_moves_what_trains_and_nothing_else(
    policy: FreezePolicy, create: Callable[[list[object]], Optimizer]
) -> None:
    torch.manual_seed(0)
    freezing = bound(policy)
    optimizer = make_optimizer(create, freezing, EPOCHS, True)
    for epoch in range(EPOCHS):
        freezing.apply(epoch)
        begin_epoch(optimizer, epoch)
        before, frozen = state(freezing), freezing.frozen_tensors(epoch)
        for _ in range(2):
            freezing.set_modes(training=True)
            step(freezing, optimizer)
        after = state(freezing)
        assert [name for name in frozen if name in after and not torch.equal(before[name], after[name])] == []
        still = {name for name in before if torch.equal(before[name], after[name])} - frozen
        assert not {name for name in still if ".num_batches" not in name}, epoch
    assert not policy.constant or frozen == freezing.frozen_tensors(0)


def test_frozen_layers_stay_in_eval_mode_and_thawed_ones_wake_up() -> None:
    freezing = bound(Gradual())
    for epoch in (0, 1, 2, 0):
        freezing.apply(epoch)
        for part in freezing.parts.values():
            part.eval() if epoch else part.train()
        freezing.set_modes(training=True)
        for number in range(1, 6):
            assert {layer.training for layer in freezing.parts[f"stage{number}"]} == {number > 5 - epoch}
        assert all(layer.training for layer in freezing.parts["head"].modules())
        freezing.set_modes(training=False)
        assert not any(layer.training for part in freezing.parts.values() for layer in part.modules())


def test_a_frozen_part_in_train_mode_gives_what_it_gives_in_eval_mode() -> None:
    torch.manual_seed(0)
    freezing = bound(Stages(2))
    freezing.apply(0)
    freezing.set_modes(training=True)
    stages = list(freezing.parts.values())[:2]
    x = torch.randn(4, 3, 32, 32)
    training = stages[1](stages[0](x))
    freezing.set_modes(training=False)
    assert torch.equal(training, stages[1](stages[0](x)))


def test_a_frozen_part_takes_its_dropout_along_unless_it_is_active() -> None:
    for dropout, training in (("fixed", False), ("active", True)):
        freezing = bound(HeadToo(), dropout=dropout)
        freezing.apply(0)
        freezing.set_modes(training=True)
        layers = [layer for layer in freezing.parts["head"].modules() if isinstance(layer, nn.Dropout)]
        assert [layer.training for layer in layers] == [training] * 2


def test_statistics_of_frozen_layers_move_if_asked() -> None:
    freezing = bound(WholeBackbone(), norm="update")
    freezing.apply(0)
    freezing.set_modes(training=True)
    before = state(freezing)
    step(freezing, make_optimizer(lambda groups: SGD(groups, 0.1), freezing, 1, True))
    after = state(freezing)
    moved = {name for name in before if name.startswith("backbone.") and not torch.equal(before[name], after[name])}
    assert moved == {name for name in before if "running" in name or "num_batches" in name}
    assert not any("running" in name for name in freezing.frozen_tensors(0))


@pytest.mark.parametrize("decayed", [True, False])
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: type(policy).__name__)
def test_groups_are_a_partition(policy: FreezePolicy, decayed: bool) -> None:
    """Zeros and fresh norms are equal in value: only identity tells them apart."""
    freezing = bound(policy)
    groups = parameter_groups(freezing, EPOCHS, decayed)
    grouped = [id(parameter) for group in groups for parameter in group["params"]]
    frozen = {info.name for info, _ in freezing.parameters if policy.constant and policy(0, info) == 0}
    assert sorted(grouped) == sorted(id(p) for info, p in freezing.parameters if info.name not in frozen)
    assert len({group["name"] for group in groups}) == len(groups) or isinstance(policy, Pattern)


def test_weight_decay_spares_biases_and_norms_when_asked() -> None:
    for group in parameter_groups(bound(Nothing()), 1, decay_biases_and_norms=False):
        spared = "spared" in group["name"]
        assert all((parameter.ndim == 1) == spared for parameter in group["params"])
        assert group.get("weight_decay") == (0 if spared else None)


def test_layer_wise_decay_scales_the_step_and_not_the_schedule() -> None:
    torch.manual_seed(0)
    freezing = bound(Nothing(), lr_decay=0.5)
    optimizer = make_optimizer(lambda groups: SGD(groups, lr=1.0), freezing, 1, True)
    before = state(freezing)
    freezing.set_modes(training=True)
    step(freezing, optimizer)
    depth = {"stage1": 5, "stage3": 3, "stage5": 1, "head": 0}
    for part, power in depth.items():
        for parameter in freezing.parts[part].parameters():
            (name,) = (info.name for info, p in freezing.parameters if p is parameter)
            assert parameter.grad is not None
            torch.testing.assert_close(parameter.detach(), before[name] - 0.5**power * parameter.grad)
    assert {group["lr"] for group in optimizer.param_groups} == {1.0}


def test_an_epoch_in_which_nothing_trains() -> None:
    class Asleep:
        constant = False

        def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
            return 0.0 if epoch == 3 else 1.0

    assert len(parameter_groups(bound(Asleep()), 3, True)) == 6
    with pytest.raises(ValueError, match=r"in epoch 3: nothing is left to train"):
        parameter_groups(bound(Asleep()), 4, True)


@pytest.mark.parametrize("settings", [{"lr_decay": 0.0}, {"lr_decay": 1.5}, {"norm": "eval"}, {"dropout": "off"}])
def test_settings_out_of_range(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        bound(Nothing(), **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr_factors": [1, 1]}, "give 5 numbers above 0"),
        ({"lr_factors": [1, 1, 1, 1, 0]}, "give 5 numbers above 0"),
        ({"lr_factors": [1] * 5, "lr_decay": 0.5}, "both set"),
        ({"warmup": 1, "norm": "update"}, "has no effect with"),
    ],
)
def test_settings_without_effect(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bound(Nothing(), **settings)


def test_rates_as_a_list() -> None:
    freezing = bound(Stages(1), lr_factors=[0.1, 0.2, 0.3, 0.4, 0.5])
    found = {info.stage: factor for factor, (info, _) in zip(freezing.factors(0), freezing.parameters, strict=True)}
    assert found == {1: 0, 2: 0.2, 3: 0.3, 4: 0.4, 5: 0.5, None: 1}


def test_statistics_of_frozen_layers_warm_up_and_then_stand_still() -> None:
    torch.manual_seed(0)
    freezing = bound(WholeBackbone(), warmup=1)
    optimizer = make_optimizer(lambda groups: SGD(groups, 0.1), freezing, 2, True)
    assert freezing.constant
    assert not freezing.settled
    moved = []
    for epoch in (0, 1):
        freezing.apply(epoch)
        freezing.set_modes(training=True)
        before = state(freezing)
        step(freezing, optimizer)
        after = state(freezing)
        moved.append({name for name in before if not torch.equal(before[name], after[name]) and "head" not in name})
        assert moved[-1].isdisjoint(freezing.frozen_tensors(epoch))
    assert moved[0] == {name for name in before if "running" in name or "num_batches" in name}
    assert not moved[1]


def test_a_pattern_that_matches_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"'featurs' matches no parameter; the names run from backbone\.features\.0\."):
        bound(Pattern([r"features\.0", "featurs"]))
