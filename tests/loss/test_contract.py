"""What every loss promises, tried on each YAML in conf/loss: a new loss is covered once its files exist."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf
from torch import Tensor, nn
from torch.nn import functional

from vggexp.types import VOID

ROOT = Path(__file__).parents[2]
LOSSES = sorted(path.stem for path in (ROOT / "conf" / "loss").glob("*.yaml"))
METADATA = {"_target_", "scores", "targets"}
KINDS = ("class_logits", "pixel_logits", "box")
TARGETS = {"class_logits": "label", "logits of labels": "labels", "pixel_logits": "mask", "box": "box"}
"""By kind of outputs: what the loss compares them with."""
CLASSES = 3

Loss = Callable[..., Tensor]


def composed(name: str) -> dict[str, Any]:
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = OmegaConf.to_container(compose(f"loss/{name}").loss)
    assert isinstance(config, dict)
    return config


def build(config: dict[str, Any]) -> Loss:
    return instantiate(
        {key: value for key, value in config.items() if key not in ("scores", "targets")}, _convert_="all"
    )


def target(kind: str) -> Tensor:
    if kind == "box":
        return torch.tensor([[0.1, 0.2, 0.5, 0.3], [0.4, 0.3, 0.2, 0.4]])
    if kind == "class_logits":
        return torch.tensor([0, 2])
    if kind == "logits of labels":
        return torch.tensor([[1, 0, 1], [0, 0, 1]], dtype=torch.uint8)
    mask = torch.tensor([[[0, 0, 1], [1, 2, VOID]], [[2, 2, 0], [0, 0, VOID]]])
    return mask.to(torch.uint8)


def outputs(kind: str, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    if kind == "box":
        return torch.rand(2, 4, generator=generator)
    shape = (2, CLASSES) if kind != "pixel_logits" else (2, CLASSES, 2, 3)
    return torch.randn(shape, generator=generator)


def right(kind: str) -> Tensor:
    """Outputs that say what the target says."""
    if kind == "box":
        return target(kind)
    answer = target(kind).long()
    if kind == "logits of labels":
        return 40 * answer.float() - 20
    logits = 40 * functional.one_hot(answer.masked_fill(answer == VOID, 0), CLASSES).float() - 20
    return logits.movedim(-1, 1)


def check_scalar(loss: Loss, kind: str) -> None:
    x = outputs(kind).requires_grad_()
    value = loss(x, target(kind))
    assert value.shape == ()
    assert value.dtype == torch.float32
    value.backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert x.grad.any()


def check_float32_inside(loss: Loss, kind: str) -> None:
    """Half-precision outputs are cast before anything is computed."""
    x = outputs(kind).bfloat16()
    value = loss(x, target(kind))
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(x.float(), target(kind)), rtol=0, atol=0)


def check_right_is_best(loss: Loss, kind: str) -> None:
    best = loss(right(kind), target(kind))
    assert 0 <= best < 1e-3
    assert all(loss(outputs(kind, seed), target(kind)) > best + 0.01 for seed in range(5))


def check_void_counts_nothing(loss: Loss, kind: str) -> None:
    if kind != "pixel_logits":
        return
    truth, x = target(kind), outputs(kind)
    changed = x + 5 * torch.randn(x.shape) * (truth == VOID).unsqueeze(1)
    torch.testing.assert_close(loss(x, truth), loss(changed, truth))


def check_only_void(loss: Loss, kind: str) -> None:
    if kind != "pixel_logits":
        return
    x = outputs(kind).requires_grad_()
    value = loss(x, torch.full_like(target(kind), VOID))
    value.backward()
    assert value == 0
    assert x.grad is not None
    assert not x.grad.any()  # NaN would count as any


def check_255_is_a_class(loss: Loss, kind: str) -> None:
    """Of an image's classes, that is; ImageNet has a thousand."""
    if kind != "class_logits":
        return
    logits = torch.zeros(1, 300)
    logits[0, 255] = 20
    label = torch.tensor([255])
    assert loss(-logits, label) > loss(logits, label)


CHECKS = [value for name, value in list(globals().items()) if name.startswith("check_")]


def kinds(config: dict[str, Any]) -> list[str]:
    """What a loss is tried on: its outputs, with each target that it compares them with."""
    found = [kind for kind in config["scores"] if kind in KINDS]
    found += ["logits of labels"] * ("class_logits" in found)
    return [kind for kind in found if TARGETS[kind] in config.get("targets", [TARGETS[one] for one in KINDS])]


CASES = [(name, kind) for name in LOSSES for kind in kinds(composed(name))]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_loss(name: str, kind: str, check: Callable[[Loss, str], None]) -> None:
    check(build(composed(name)), kind)


def check_yaml(config: dict[str, Any], defaults: dict[str, Any]) -> None:
    parameters = inspect.signature(get_class(config["_target_"])).parameters.values()
    arguments = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]  # nn.Module's own are *args, **kwargs
    assert set(config) - METADATA == {argument.name for argument in arguments}
    assert {a.name: a.default for a in arguments if a.default is not a.empty} == defaults


@pytest.mark.parametrize("name", LOSSES)
def test_yaml_is_the_signature(name: str) -> None:
    config = composed(name)
    assert set(config["scores"]) <= {*KINDS, "box_per_class", "parallel", "objects", "object_masks"}
    check_yaml(config, {key: value for key, value in config.items() if key not in METADATA | {"part"}})


@pytest.mark.parametrize("name", LOSSES)
def test_yaml_opens_with_what_it_is(name: str) -> None:
    lines = (ROOT / "conf" / "loss" / f"{name}.yaml").read_text().splitlines()
    assert lines[0].startswith("# ")
    assert sum(line.startswith("_target_:") for line in lines) == 1


def test_one_word_three_trees() -> None:
    modules = {path.stem for path in (ROOT / "vggexp" / "loss").glob("*.py")} - {"__init__", "smp"}
    tests = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")} - {"contract", "smp"}
    assert set(LOSSES) == modules == tests
    assert len(LOSSES) >= 9
    assert len(CASES) >= 11
    assert len(CHECKS) == 6


class Good(nn.Module):
    """A minimal loss that keeps the contract; each one below breaks it in one way."""

    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        outputs, target = outputs.float(), target.long()
        keep = target != VOID if outputs.ndim > 2 else target >= 0
        right = outputs.log_softmax(1).gather(1, target.where(keep, 0).unsqueeze(1)).squeeze(1)
        return -(right * keep).sum() / keep.sum().clamp(min=1)


class NotReduced(Good):
    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        return super().forward(outputs, target)[None]


class InHalfPrecision(Good):
    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        return super().forward(outputs.log_softmax(1), target)


class UpsideDown(Good):
    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        return -super().forward(outputs, target)


class CountsVoid(Good):
    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        return super().forward(outputs, target) + outputs.square().mean()


class NaNOnVoid(Good):
    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        return functional.cross_entropy(outputs, target.long(), ignore_index=VOID)


class Drops255(Good):
    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        return functional.cross_entropy(outputs, target.long(), ignore_index=VOID, reduction="sum")


BROKEN: list[tuple[type[nn.Module], Callable[[Loss, str], None], str]] = [
    (NotReduced, check_scalar, "class_logits"),
    (InHalfPrecision, check_float32_inside, "pixel_logits"),
    (UpsideDown, check_right_is_best, "pixel_logits"),
    (CountsVoid, check_void_counts_nothing, "pixel_logits"),
    (NaNOnVoid, check_only_void, "pixel_logits"),
    (Drops255, check_255_is_a_class, "class_logits"),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", ["class_logits", "pixel_logits"])
def test_good_loss_passes(check: Callable[[Loss, str], None], kind: str) -> None:
    check(Good(), kind)


@pytest.mark.parametrize(("broken", "check", "kind"), BROKEN)
def test_broken_loss_fails(broken: type[nn.Module], check: Callable[[Loss, str], None], kind: str) -> None:
    with pytest.raises(AssertionError):
        check(broken(), kind)


def test_every_check_is_broken_once() -> None:
    assert {check for _, check, _ in BROKEN} == set(CHECKS)


def test_broken_yaml_fails() -> None:
    config = composed("focal")
    with pytest.raises(AssertionError):
        check_yaml(config | {"gama": 2.0}, {"gamma": 2.0, "alpha": None})
    with pytest.raises(AssertionError):
        check_yaml(config, {"gamma": 3.0, "alpha": None})
