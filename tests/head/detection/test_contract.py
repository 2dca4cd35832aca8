"""What every detection head promises, tried on each YAML in conf/head that gives objects."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.utils import get_class, instantiate
from torch import Tensor, nn

from tests.head.detection.cases import CLASSES, SIZE, features, lesson, objects, small_backbone, spec
from vggexp.config.compose import defaults
from vggexp.head.detection.padded import Padded
from vggexp.trainer.build import METADATA
from vggexp.types import Features, Head, LearningHead, ObjectList, Objects

ROOT = Path(__file__).parents[3]
KINDS = ("objects", "object_masks")
SMALL = {"channels": 64, "hidden": 16, "mask_channels": 8, "convolutions": 1, "samples": 16, "proposals": 40, "pool": 3}
SIZES = [(32, 32), (33, 47), SIZE]


def composed(name: str) -> dict[str, Any]:
    """The head's configuration for images of ``SIZE``."""
    words = ("run.name=x", "task=detection", f"head={name}", f"data.image_size=[{SIZE[0]},{SIZE[1]}]")
    return dict(defaults("train", *words)["head"])


def gives(name: str) -> str:
    text = (ROOT / "conf" / "head" / f"{name}.yaml").read_text()
    return next(line.split()[1] for line in text.splitlines() if line.startswith("gives:"))


HEADS = sorted(path.stem for path in (ROOT / "conf" / "head").glob("*.yaml") if gives(path.stem) in KINDS)


def make(name: str, **options: Any) -> Any:
    """A small head that finds something without training."""
    torch.manual_seed(0)
    config = {key: SMALL.get(key, value) for key, value in composed(name).items() if key not in METADATA["head"]}
    return instantiate({**config, "threshold": 0.0, "detections": 10, **options}, _convert_="all")(spec())


def same(first: ObjectList, second: ObjectList, tolerance: float = 0.0) -> bool:
    return len(first) == len(second) and all(
        len(a) == len(b)
        and torch.equal(a.labels, b.labels)
        and torch.allclose(a.boxes, b.boxes, rtol=0, atol=tolerance)
        for a, b in zip(first, second, strict=True)
    )


def check_protocol(head: nn.Module, masks: bool) -> None:
    assert isinstance(head, Head)
    assert isinstance(head, LearningHead)
    assert head.learns_from == {"objects"}
    assert head.reads <= {"skips", "switches"}
    seen = features(head)
    unread = head.shallowest - 1
    blind = replace(
        seen,
        stages=(*[torch.empty(0)] * unread, *seen.stages[unread:]),
        skips=(*[torch.empty(0)] * unread, *seen.skips[unread:]) if head.reads else (),
    )
    assert same(head.eval()(blind), head(seen))


def check_objects(head: nn.Module, masks: bool) -> None:
    """Sorted, inside the image, at most as many as asked for, in the right types."""
    for size in SIZES:
        found = head.eval()(features(head, size=size))  # type: ignore[arg-type]
        assert isinstance(found, ObjectList)
        assert len(found) == 2
        assert any(map(len, found))
        for one in found:
            assert isinstance(one, Objects)
            assert one.scores is not None
            assert (one.boxes.dtype, one.labels.dtype, one.scores.dtype) == (torch.float32, torch.int64, torch.float32)
            assert len(one) <= 10
            assert (one.boxes >= 0).all()
            assert (one.boxes <= torch.tensor([size[1], size[0]] * 2)).all()
            assert ((one.labels >= 0) & (one.labels < CLASSES)).all()
            assert (one.scores.diff() <= 0).all()
            assert (one.masks is not None) == masks
            if one.masks is not None:
                assert (one.masks.shape, one.masks.dtype) == ((len(one), *size), torch.uint8)


def check_padded(head: nn.Module, masks: bool) -> None:
    """The form that is exported finds the same."""
    seen = features(head, 3)  # type: ignore[arg-type]
    slots = head.eval().padded(seen)  # type: ignore[operator]
    assert isinstance(slots, Padded)
    assert all(value.shape[:2] == slots.scores.shape for value in slots.tensors().values())
    assert same(slots.objects(SIZE), head(seen), 1e-3)


def check_gradient(head: nn.Module, masks: bool) -> None:
    """Finite losses by name, and a gradient for every parameter from a batch with an empty image."""
    vgg = small_backbone()
    torch.manual_seed(0)
    losses = head.train()(vgg(torch.randn(2, 3, *SIZE), head.reads), lesson())
    assert all(
        isinstance(name, str) and loss.shape == () and loss.dtype == torch.float32 for name, loss in losses.items()
    )
    sum(losses.values()).backward()
    everything = [*head.named_parameters(), *vgg.named_parameters()]
    assert [name for name, p in everything if p.grad is None or not p.grad.isfinite().all()] == []


def check_empty(head: nn.Module, masks: bool) -> None:
    """A batch without any object trains."""
    losses = head.train()(features(head), {"objects": ObjectList([objects(), objects()])})  # type: ignore[arg-type]
    total = sum(losses.values())
    assert isinstance(total, Tensor)
    total.backward()
    assert total.isfinite()


def check_frozen(head: nn.Module, masks: bool) -> None:
    """Losses come from being given targets, not from the mode: a frozen head is in evaluation mode."""
    assert head.eval()(features(head), lesson()).keys() == head.train()(features(head), lesson()).keys()  # type: ignore[arg-type]


def check_features_stay(head: nn.Module, masks: bool) -> None:
    """Other heads read the same features: nothing may work in place on them."""
    seen = features(head)  # type: ignore[arg-type]
    before = [tensor.clone() for tensor in (*seen.stages, *seen.skips)]
    head.train()(seen, lesson())
    head.eval()(seen)
    assert all(torch.equal(a, b) for a, b in zip((*seen.stages, *seen.skips), before, strict=True))


def check_channels_last(head: nn.Module, masks: bool) -> None:
    seen = features(head)  # type: ignore[arg-type]
    expected = head.eval()(seen)
    turned = [
        tuple(one.contiguous(memory_format=torch.channels_last) for one in part) for part in (seen.stages, seen.skips)
    ]
    found = head.to(memory_format=torch.channels_last)(Features(turned[0], seen.size, turned[1]))  # type: ignore[call-overload]
    assert [len(one) for one in found] == [len(one) for one in expected]
    assert all(torch.allclose(a.scores, b.scores, atol=1e-4) for a, b in zip(found, expected, strict=True))


def check_bfloat16(head: nn.Module, masks: bool) -> None:
    """Outputs and losses are float32 and finite; coordinates have more than bfloat16's eight bits."""
    vgg = small_backbone()
    with torch.autocast("cpu", torch.bfloat16):
        seen = vgg(torch.randn(2, 3, 256, 256, generator=torch.Generator().manual_seed(0)), head.reads)
        losses = head.train()(seen, {"objects": ObjectList([objects((8, 8, 200, 100), size=(256, 256))] * 2)})
        with torch.no_grad():
            found = head.eval()(seen)
    assert all(loss.dtype == torch.float32 and loss.isfinite() for loss in losses.values())
    sum(losses.values()).backward()
    boxes = torch.cat([one.boxes for one in found])
    assert boxes.dtype == torch.float32
    assert not torch.equal(boxes, boxes.bfloat16().float())


def check_meta(head: nn.Module, masks: bool) -> None:
    """Shapes can be told without memory, as ``summary`` does."""
    vgg = small_backbone()
    with torch.device("meta"):
        found = head.to("meta").eval()(vgg.to("meta")(torch.empty(2, 3, 33, 47), head.reads))
    assert len(found) == 2
    assert all(one.boxes.is_meta and one.boxes.shape[1] == 4 for one in found)


def check_many(head: nn.Module, masks: bool) -> None:
    """2,000 objects on one image, overlapping and tiny ones too."""
    generator = torch.Generator().manual_seed(0)
    corner = torch.rand(2000, 2, generator=generator) * 50
    boxes = torch.cat((corner, corner + 0.5 + 10 * torch.rand(2000, 2, generator=generator)), 1)
    crowd = Objects(boxes, torch.arange(2000) % CLASSES, torch.ones(2000, *SIZE, dtype=torch.uint8))
    losses = head.train()(features(head), {"objects": ObjectList([crowd, objects()])})  # type: ignore[arg-type]
    assert all(loss.isfinite() for loss in losses.values())


CHECKS: list[Callable[[nn.Module, bool], None]] = [
    value for name, value in list(globals().items()) if name.startswith("check_")
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", HEADS)
def test_head(name: str, check: Callable[[nn.Module, bool], None]) -> None:
    check(make(name), gives(name) == "object_masks")


def test_all_are_seen() -> None:
    assert {"faster_rcnn", "faster_rcnn_fpn", "fcos", "mask_rcnn", "ssd"} <= set(HEADS)


@pytest.mark.parametrize("name", HEADS)
def test_yaml_is_the_signature(name: str) -> None:
    config = composed(name)
    first, *arguments = inspect.signature(get_class(config["_target_"])).parameters.values()
    assert first.name == "spec"
    assert set(config) - {"_target_", "_partial_", *METADATA["head"]} == {argument.name for argument in arguments}
    for argument in arguments:
        if argument.default is not inspect.Parameter.empty:
            default = argument.default
            assert config[argument.name] == (list(default) if isinstance(default, tuple) else default)


class Careless(nn.Module):
    """Breaks promises in ways that the checks must notice."""

    reads: frozenset[str] = frozenset()
    learns_from: frozenset[str] = frozenset({"objects"})
    shallowest = 5

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(32, 4, 1)
        self.unused = nn.Linear(1, 1)

    def forward(self, seen: Features, targets: Any = None) -> Any:
        x = seen.stages[-1].data.add_(1)
        if self.training:
            return {"box": self.layer(x).square().mean().double() / (0 if not len(targets["objects"][0]) else 1)}
        boxes = self.layer(x).mean((2, 3)).abs() + torch.tensor([0, 0, 1e3, 1e3], device="cpu")
        return ObjectList(
            Objects(box[None].bfloat16().float(), torch.tensor([CLASSES]), scores=torch.ones(1)) for box in boxes
        )


@pytest.mark.parametrize(
    "check", [check_objects, check_gradient, check_empty, check_frozen, check_features_stay, check_bfloat16, check_meta]
)
def test_a_careless_head_fails(check: Callable[[nn.Module, bool], None]) -> None:
    torch.manual_seed(0)
    with pytest.raises((AssertionError, AttributeError, TypeError, RuntimeError)):
        check(Careless(), False)
