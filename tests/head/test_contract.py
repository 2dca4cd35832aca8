"""What every head promises, tried on each YAML in conf/head: a new head is covered once its files exist."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf, open_dict
from torch import Tensor, nn

from vggexp.backbone.vgg import VGG
from vggexp.trainer.build import METADATA
from vggexp.types import Features, Head, HeadSpec

ROOT = Path(__file__).parents[2]
ALL = sorted(path.stem for path in (ROOT / "conf" / "head").glob("*.yaml"))
HEADS = [name for name in ALL if "\ngives: object" not in (ROOT / "conf" / "head" / f"{name}.yaml").read_text()]
"""Without those that give objects: ``detection/test_contract.py``."""
SIZES = [(32, 32), (33, 47), (64, 96)]
IMAGES = 2
SMALL = {"hidden": 8, "pool": 2, "window": 1}
CLASSES = {"classification": 4, "multilabel": 4, "localization": 5, "segmentation": 3}
HIDDEN = {"_target_", "_partial_", *METADATA["head"]}
SHAPES: dict[str, Callable[[int, int, int], tuple[int, ...]]] = {
    "class_logits": lambda classes, h, w: (IMAGES, classes),
    "box": lambda classes, h, w: (IMAGES, 4),
    "box_per_class": lambda classes, h, w: (IMAGES, classes, 4),
    "pixel_logits": lambda classes, h, w: (IMAGES, classes, h, w),
}

Kinds = dict[str, str]
Make = Callable[[], nn.Module]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Maps this small cost more in waking threads than in arithmetic: six times as much on a shared machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def composed(name: str) -> dict[str, Any]:
    """The head's configuration as Hydra hands it over, with its defaults list worked off."""
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        whole = compose(f"head/{name}")
    with open_dict(whole):
        whole.data = {"image_size": [64, 96]}
    config = OmegaConf.to_container(whole.head, resolve=True)
    assert isinstance(config, dict)
    return config


def kinds(config: dict[str, Any]) -> Kinds:
    """What each output is, by task name."""
    if "part" in config:
        parts = {name: part["gives"] for name, part in config["part"].items()}
        return {name: kind for name, kind in parts.items() if not kind.startswith("object")}
    return {"classification": config["gives"]}


def shrink(config: dict[str, Any]) -> dict[str, Any]:
    """The same head for a small machine, without its metadata."""
    small = {}
    for key, value in config.items():
        if key in METADATA["head"]:
            continue
        if isinstance(value, dict):
            value = shrink(value)
        elif key in SMALL:
            value = [SMALL[key]] if isinstance(value, list) else SMALL[key]
        small[key] = value
    return small


def backbone() -> VGG:
    torch.manual_seed(0)
    return VGG("A", width=1 / 16).eval()


def spec(names: Kinds) -> HeadSpec:
    vgg = VGG("A", width=1 / 16)
    return HeadSpec(vgg.channels, vgg.strides, {name: CLASSES[name] for name in names})


def run(head: nn.Module, size: tuple[int, int] = (64, 96), vgg: VGG | None = None) -> dict[str, Tensor]:
    """The head's outputs for two fixed images; a lone output as that of "classification"."""
    vgg = vgg or backbone()
    images = torch.arange(IMAGES * 3 * size[0] * size[1]).mul(12.9).sin()  # noise without touching the seed
    outputs = head(vgg(images.view(IMAGES, 3, *size), head.reads))
    return outputs if isinstance(outputs, dict) else {"classification": outputs}


def lively(make: Make, seed: int = 2) -> nn.Module:
    """A head whose parameters are all random: none hides behind a zero initialisation or a tiny one."""
    torch.manual_seed(seed)
    head = make()
    for parameter in head.parameters():
        nn.init.normal_(parameter, mean=0.05, std=0.3)
    return head.eval()


def check_protocol(make: Make, names: Kinds) -> None:
    head = make()
    assert isinstance(head, Head)
    assert head.reads <= {"skips", "switches"}
    assert 1 <= head.shallowest <= 5
    if not head.reads:
        head.eval()
        features = backbone()(torch.randn(IMAGES, 3, 64, 64))
        unread = [torch.empty(0)] * (head.shallowest - 1)
        torch.testing.assert_close(
            head(features), head(replace(features, stages=(*unread, *features.stages[len(unread) :])))
        )


def check_shape(make: Make, names: Kinds) -> None:
    for size in SIZES:
        outputs = run(make(), size)
        assert {name: tuple(output.shape) for name, output in outputs.items()} == {
            name: SHAPES[kind](CLASSES[name], *size) for name, kind in names.items()
        }
        assert {output.dtype for output in outputs.values()} == {torch.float32}


def check_meta(make: Make, names: Kinds) -> None:
    """Shapes can be told without memory, as ``summary`` does."""
    with torch.device("meta"):
        outputs = run(make(), (33, 47), VGG("A", width=1 / 16))
    for name, output in outputs.items():
        assert output.is_meta
        assert tuple(output.shape) == SHAPES[names[name]](CLASSES[name], 33, 47)


def check_eval(make: Make, names: Kinds) -> None:
    head, vgg = make().eval(), backbone()  # one backbone: making another would reset the seed
    first, second = run(head, vgg=vgg), run(head, vgg=vgg)
    assert all(torch.equal(first[name], second[name]) for name in names)


def check_gradient(make: Make, names: Kinds) -> None:
    """Finite everywhere when training; in eval mode, where no dropout hides one, every parameter gets some."""
    head, vgg = make().train(), backbone()
    sum(output.square().mean() for output in run(head, (33, 47), vgg).values()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in [*head.parameters(), *vgg.parameters()])
    head, vgg = lively(make), backbone()
    sum(output.square().mean() for output in run(head, vgg=vgg).values()).backward()
    everything = [*head.named_parameters(), *vgg.named_parameters()]
    assert [name for name, p in everything if p.grad is None or not p.grad.any()] == []


def check_features_stay(make: Make, names: Kinds) -> None:
    """Other heads read the same features: nothing may work in place on them."""
    head = make()
    features = backbone()(torch.randn(IMAGES, 3, 32, 32), head.reads)
    before = [tensor.clone() for tensor in (*features.stages, *features.skips, *features.switches)]
    head(features)
    after = (*features.stages, *features.skips, *features.switches)
    assert all(torch.equal(a, b) for a, b in zip(after, before, strict=True))


def check_channels_last(make: Make, names: Kinds) -> None:
    head, vgg = lively(make), backbone()
    expected = run(head, (33, 47), vgg)
    outputs = run(head.to(memory_format=torch.channels_last), (33, 47), vgg.to(memory_format=torch.channels_last))
    for name in names:
        torch.testing.assert_close(outputs[name], expected[name], rtol=1e-3, atol=1e-4)


def check_bfloat16(make: Make, names: Kinds) -> None:
    head = make().train()
    with torch.autocast("cpu", torch.bfloat16):
        outputs = run(head, (33, 47))
    for name, kind in names.items():
        assert tuple(outputs[name].shape) == SHAPES[kind](CLASSES[name], 33, 47)
        assert outputs[name].isfinite().all()
    sum(output.float().square().mean() for output in outputs.values()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in head.parameters())


def check_state(make: Make, names: Kinds) -> None:
    head, other = lively(make), lively(make, seed=3)
    expected = run(head, (33, 47))
    assert not all(torch.equal(output, expected[name]) for name, output in run(other, (33, 47)).items())
    other.load_state_dict(head.state_dict())
    assert all(torch.equal(output, expected[name]) for name, output in run(other, (33, 47)).items())


CHECKS = [value for name, value in list(globals().items()) if name.startswith("check_")]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", HEADS)
def test_head(name: str, check: Callable[[Make, Kinds], None]) -> None:
    config = composed(name)
    check(lambda: instantiate(shrink(config), _convert_="all")(spec(kinds(config))), kinds(config))


@pytest.mark.parametrize("name", HEADS)
def test_yaml_is_the_signature(name: str) -> None:
    config = composed(name)
    first, *arguments = inspect.signature(get_class(config["_target_"])).parameters.values()
    assert first.name == "spec"
    assert config["_partial_"] is True
    assert config["gives"] in {*SHAPES, "parallel"}
    assert set(config) - HIDDEN == {argument.name for argument in arguments}
    for argument in arguments:
        if argument.default is not inspect.Parameter.empty:
            default = argument.default
            assert config[argument.name] == (list(default) if isinstance(default, tuple) else default)


@pytest.mark.parametrize("name", ALL)
def test_yaml_opens_with_what_it_is(name: str) -> None:
    lines = (ROOT / "conf" / "head" / f"{name}.yaml").read_text().splitlines()
    assert lines[0].startswith("# ")
    assert sum(line.startswith("_target_:") for line in lines) == 1


def test_one_word_three_trees() -> None:
    """Every head is a YAML, a module and a test; so the lists above have seen all of them."""
    modules = {path.stem for path in (ROOT / "vggexp" / "head").glob("*.py")} - {"__init__"}
    tests = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")} - {"contract"}
    assert set(ALL) == modules == tests
    assert len(HEADS) >= 8
    assert len(CHECKS) == 9


class Good(nn.Module):
    """A minimal head that keeps the contract; each one below breaks it in one way."""

    reads: frozenset[str] = frozenset()
    shallowest = 5

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(32, CLASSES["classification"])

    def forward(self, features: Features) -> Tensor:
        return self.layer(features.stages[-1].mean((2, 3)))


class WithoutReads(nn.Module):
    def forward(self, features: Features) -> Tensor:
        return features.stages[-1]


class OneClassTooMany(Good):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(32, CLASSES["classification"] + 1)


class AllocatesOnTheCPU(Good):
    def forward(self, features: Features) -> Tensor:
        return torch.zeros(IMAGES, CLASSES["classification"], device="cpu")


class DropsInEval(Good):
    def forward(self, features: Features) -> Tensor:
        return nn.functional.dropout(super().forward(features), training=True)


class UnusedLayer(Good):
    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Linear(1, 1)


class CutsTheGradient(Good):
    def forward(self, features: Features) -> Tensor:
        return self.layer(features.stages[-1].detach().mean((2, 3)))


class WorksInPlace(Good):
    def forward(self, features: Features) -> Tensor:
        features.stages[-1].data.add_(1)
        return super().forward(features)


class ReadsMemoryOrder(Good):
    def forward(self, features: Features) -> Tensor:
        x = features.stages[-1]
        strides = torch.tensor(x.stride(), dtype=x.dtype)
        return super().forward(features) + strides


class OverflowsInBfloat16(Good):
    def forward(self, features: Features) -> Tensor:
        logits = super().forward(features)
        return logits if logits.dtype == torch.float32 else logits / 0


class HiddenState(Good):
    def __init__(self) -> None:
        super().__init__()
        self.offset = torch.randn(CLASSES["classification"])

    def forward(self, features: Features) -> Tensor:
        return super().forward(features) + self.offset


BROKEN: dict[type[nn.Module], Callable[[Make, Kinds], None]] = {
    WithoutReads: check_protocol,
    OneClassTooMany: check_shape,
    AllocatesOnTheCPU: check_meta,
    DropsInEval: check_eval,
    UnusedLayer: check_gradient,
    CutsTheGradient: check_gradient,
    WorksInPlace: check_features_stay,
    ReadsMemoryOrder: check_channels_last,
    OverflowsInBfloat16: check_bfloat16,
    HiddenState: check_state,
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_good_head_passes(check: Callable[[Make, Kinds], None]) -> None:
    check(Good, {"classification": "class_logits"})


@pytest.mark.parametrize("broken", BROKEN)
def test_broken_head_fails(broken: type[nn.Module]) -> None:
    with pytest.raises(AssertionError):
        BROKEN[broken](broken, {"classification": "class_logits"})


def test_every_check_is_broken_once() -> None:
    assert set(BROKEN.values()) == set(CHECKS)
