"""What every task promises, tried on each YAML in conf/task: a new task is covered once its files exist."""

import inspect
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf
from torch import Tensor, nn
from torch.nn import functional

from vggexp.errors import DataError
from vggexp.task.common_objects import filled
from vggexp.types import OBJECT_MASKS, TARGETS, VOID, Batch, DataInfo, ObjectList, Objects, Outputs

ROOT = Path(__file__).parents[2]
TASKS = sorted(path.stem for path in (ROOT / "conf" / "task").glob("*.yaml"))
METADATA = {"_target_", "_partial_", "needs", "takes", "objective", "scores", "targets"}
INFO = DataInfo(classes=("cat", "dog", "eel"), mask_classes=("ground", "animal"))
PARTS = ("classification", "localization", "segmentation")


@cache
def composed(name: str) -> Any:
    """The task's config and its loss's, chosen as the command line chooses them."""
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = OmegaConf.to_container(compose("train", [f"task={name}"]))
    assert isinstance(config, dict)
    return {"task": config["task"], "loss": config["loss"]}


def strip(config: dict[str, Any]) -> dict[str, Any]:
    """Without metadata, at any depth."""
    bare = {key: value for key, value in config.items() if key not in METADATA or key in ("_target_", "_partial_")}
    return {key: strip(value) if isinstance(value, dict) else value for key, value in bare.items()}


def build(name: str) -> nn.Module:
    """The task as composed, with the parts ``PARTS``."""
    loss, config = (strip(composed(name)[key]) for key in ("loss", "task"))
    if "parts" in config:
        config["parts"] = [name for name in config["part"] if name in PARTS]
    return instantiate(config, _convert_="all")(info=INFO, loss=instantiate(loss, _convert_="all"))


def batch() -> Batch:
    mask = torch.zeros(4, 6, 8, dtype=torch.uint8)
    mask[:, 2:4, 1:5] = 1
    mask[:, 0, 0] = VOID
    return {
        "image": torch.full((4, 3, 6, 8), 90, dtype=torch.uint8),
        "index": torch.arange(4),
        "label": torch.tensor([2, 0, 1, 2]),
        "labels": torch.tensor([[0, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=torch.uint8),
        "box": torch.tensor([[0.1, 0.3, 0.4, 0.5], [0.2, 0.3, 0.2, 0.5], [0.1, 0.2, 0.4, 0.6], [0.0, 0.0, 1.0, 1.0]]),
        "mask": mask,
        "objects": ObjectList(objects(*edges) for edges in EDGES),
    }


EDGES = (((1, 2, 5, 4), (5, 0, 8, 3)), ((1, 2, 5, 4),), ((0, 0, 4, 4), (2, 2, 8, 6)), ((2, 1, 6, 6),))
"""The boxes of each image's objects, of the classes 2, 1, 0 in this order."""


def objects(*edges: tuple[int, ...]) -> Objects:
    boxes = torch.tensor(edges, dtype=torch.float32)
    return filled(Objects(boxes, 2 - torch.arange(len(edges))), (6, 8))


def right(kind: str) -> Outputs:
    """Outputs that say what the batch says, of a kind that the task takes."""
    truth = batch()
    if kind == "parallel":
        return {name: right(one) for name, one in zip(PARTS, ("class_logits", "box", "pixel_logits"), strict=True)}  # type: ignore[misc]
    if kind in ("objects", "object_masks"):
        found = [(one, torch.linspace(0.9, 0.8, len(one))) for one in truth["objects"]]
        masks = kind == "object_masks"
        return ObjectList(Objects(one.boxes, one.labels, one.masks if masks else None, scores=s) for one, s in found)
    if kind == "box":
        return truth["box"]
    if kind == "box_per_class":
        boxes = torch.zeros(4, 3, 4)
        boxes[torch.arange(4), truth["label"]] = truth["box"]
        return boxes
    if kind == "logits of labels":
        return 40 * truth["labels"].float() - 20
    if kind == "class_logits":
        return 20 * functional.one_hot(truth["label"], 3).float()
    mask = truth["mask"].long()
    return 20 * functional.one_hot(mask.where(mask != VOID, 0), 2).float().movedim(-1, 1)


def while_training(kind: str) -> Outputs:
    """What the head then says: of objects, its losses."""
    return {"class": torch.tensor(0.01), "box": torch.tensor(0.02)} if kind.startswith("object") else right(kind)


def apply(outputs: Outputs, function: Callable[[Tensor], Tensor]) -> Outputs:
    if isinstance(outputs, ObjectList):
        return outputs
    if isinstance(outputs, dict):
        return {name: function(output) for name, output in outputs.items()}
    return function(outputs)


def observed(task: Any) -> Any:
    task.observe(batch())
    task.finish_observing()
    return task


def scores(task: Any, prediction: dict[str, Tensor]) -> dict[str, Tensor]:
    metrics = task.metrics()
    metrics.update(prediction, batch())
    result: dict[str, Tensor] = metrics.compute()
    return result


def check_loss(task: Any, kind: str) -> None:
    """A float32 scalar with finite gradients, also of outputs in half precision; its parts carry no gradient."""
    for dtype in (torch.float32, torch.bfloat16):
        leaves: list[Tensor] = []

        def noisy(output: Tensor, dtype: torch.dtype = dtype, leaves: list[Tensor] = leaves) -> Tensor:
            leaves.append((output + 0.1).to(dtype).requires_grad_())
            return leaves[-1]

        losses = task.loss(apply(while_training(kind), noisy), batch())
        assert all(name == "loss" or name.startswith("loss_") for name in losses)
        assert losses["loss"].shape == ()
        assert losses["loss"].dtype == torch.float32
        losses["loss"].backward()
        grads = [leaf.grad for leaf in leaves if leaf.grad is not None]
        assert grads
        assert all(grad.isfinite().all() for grad in grads)


SIZES = ("medium", "large", "/cat", "/dog", "/eel")
"""How scores end that there may be none of: no object is large, and no image shows this class."""


def check_right_outputs_score_one(task: Any, kind: str) -> None:
    found = scores(task, task.predict(right(kind)))
    assert float(found[task.objective]) == pytest.approx(1, abs=1e-5)
    known = [value for name, value in found.items() if not name.endswith(SIZES)]
    assert all(value.shape == () and 0 <= value <= 1 + 1e-5 for value in known)


def check_prediction(task: Any, kind: str) -> None:
    """In a target's terms and types, one row an image."""
    prediction = task.predict(apply(right(kind), Tensor.bfloat16))
    types = {"label": torch.int64, "labels": torch.uint8, "mask": torch.uint8}
    tensors = {name: value for name, value in prediction.items() if isinstance(value, Tensor)}
    assert {name: value.dtype for name, value in tensors.items()} == {
        name: types.get(name, torch.float32) for name in tensors
    }
    assert all(isinstance(value, ObjectList) for name, value in prediction.items() if name not in tensors)
    for name, value in prediction.items():
        assert len(value) == 4
        if name in TARGETS and name in tensors:
            assert value.shape == batch()[name].shape  # type: ignore[literal-required]


def check_baseline(task: Any, kind: str) -> None:
    """Looks like a prediction, and scores worse than the right one."""
    baseline, prediction = observed(task).baseline(batch()), task.predict(right(kind))
    for name, value in baseline.items():
        if isinstance(value, ObjectList):
            assert len(value) == len(prediction[name])
            assert all(torch.equal(row.boxes, value[0].boxes) for row in value)
            continue
        if name in prediction:
            assert (value.shape, value.dtype) == (prediction[name].shape, prediction[name].dtype)
        assert all(torch.equal(row, value[0]) for row in value)
    assert 0 < scores(task, baseline)[task.objective] < 0.95


def check_observing_can_be_repeated(task: Any, kind: str) -> None:
    """As it is when a run resumes."""
    once = observed(task).baseline(batch())
    twice = observed(task).baseline(batch())
    for name, value in once.items():
        close(value, twice[name])


def check_counts_are_in_the_state(task: Any, kind: str) -> None:
    empty = {name: buffer.clone() for name, buffer in task.named_buffers()}
    baseline, state = observed(task).baseline(batch()), {k: v.clone() for k, v in task.state_dict().items()}
    assert not list(task.parameters())
    for name, buffer in task.named_buffers():
        if name in empty:
            buffer.copy_(empty[name])
    task.load_state_dict(state)
    for name, value in task.baseline(batch()).items():
        close(value, baseline[name])


def close(one: Any, other: Any) -> None:
    if isinstance(one, Tensor):
        torch.testing.assert_close(one, other)
        return
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close((a.boxes, a.labels, a.scores), (b.boxes, b.labels, b.scores))


def check_nothing_observed_is_no_error(task: Any, kind: str) -> None:
    """A run may leave the baseline out."""
    task.finish_observing()
    assert task.loss(while_training(kind), batch())["loss"] < 0.1


def check_draw(task: Any, kind: str) -> None:
    """Truth and prediction, each on a new image of one size."""
    truth = batch()
    values = {name: truth[name][0] for name in TARGETS}  # type: ignore[literal-required]
    prediction = {name: value[0] for name, value in task.predict(right(kind)).items()}
    for what in (values, prediction):
        picture = task.draw(truth["image"][0], what)
        assert picture.dtype == torch.uint8
        assert picture.shape[0] == 3
        assert picture.shape[1] >= 192
        assert torch.equal(truth["image"], batch()["image"])


def check_diagnostics(task: Any, kind: str) -> None:
    """Right outputs leave every image with a score of one; what is made of them is JSON."""
    rows = task.rows(task.predict(right(kind)), batch())
    assert rows.keys() == task.classes.keys()
    for columns in rows.values():
        assert all(len(column) == 4 for column in columns.values())
        torch.testing.assert_close(columns["score"], torch.ones(4))
    diagnostics = task.diagnostics(rows)
    assert diagnostics.keys() == rows.keys()
    assert json.loads(json.dumps(diagnostics)) == diagnostics
    assert all(len(column) == 4 for one in diagnostics.values() for column in one["each"].values())


CHECKS = [value for name, value in list(globals().items()) if name.startswith("check_")]


def kinds(name: str) -> list[str]:
    """What a task takes; the same logits say something else where several classes are right."""
    task = composed(name)["task"]
    return ["logits of labels" if task.get("needs") == ["labels"] else kind for kind in task["takes"]]


CASES = [(name, kind) for name in TASKS for kind in kinds(name)]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_task(name: str, kind: str, check: Callable[[Any, str], None]) -> None:
    check(build(name), kind)


def check_yaml(config: dict[str, Any]) -> None:
    task = get_class(config["_target_"])
    info, loss, *arguments = inspect.signature(task).parameters.values()
    assert (info.name, loss.name) == ("info", "loss")
    assert set(config) - METADATA == {argument.name for argument in arguments}
    for argument in arguments:
        if argument.default is not argument.empty:
            assert config[argument.name] == argument.default
    assert config["_partial_"] is True
    assert config["objective"] == {"metric": task.objective, "mode": "max"}
    assert config["takes"]
    assert set(config.get("needs", [])) <= {*TARGETS, OBJECT_MASKS}


@pytest.mark.parametrize("name", TASKS)
def test_yaml_is_the_signature(name: str) -> None:
    check_yaml(composed(name)["task"])


@pytest.mark.parametrize("name", TASKS)
def test_yaml_opens_with_what_it_is(name: str) -> None:
    lines = (ROOT / "conf" / "task" / f"{name}.yaml").read_text().splitlines()
    assert lines[0].startswith("# ")
    assert sum(line.startswith("_target_:") for line in lines) == 1


SHARED = {"drawing", "targets", "matching", "common_objects"}
"""Modules that tasks share, and that are no words of the command line."""


def test_one_word_three_trees() -> None:
    modules = {path.stem for path in (ROOT / "vggexp" / "task").glob("*.py")} - {"__init__", *SHARED}
    tests = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}
    assert set(TASKS) == modules == tests - {"contract", "composition", *SHARED}
    assert len(TASKS) >= 5
    assert len(CASES) >= 6
    assert len(CHECKS) == 9


@pytest.mark.parametrize(
    "change", [{"formt": "corner"}, {"objective": {"metric": "iou", "mode": "max"}}, {"format": "center"}]
)
def test_broken_yaml_fails(change: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        check_yaml(composed("localization")["task"] | change)


def broken(method: str, replacement: Callable[..., Any]) -> Any:
    """Classification, except for one method."""
    task = build("classification")
    original = getattr(task, method)
    object.__setattr__(task, method, lambda *arguments: replacement(original, *arguments))
    return task


def _refuse(original: Callable[[], None]) -> None:
    raise DataError("nothing was observed")


BROKEN: dict[Callable[[Any, str], None], Callable[[], Any]] = {
    check_loss: lambda: broken("loss", lambda f, x, b: {"loss": f(x, b)["loss"].bfloat16()}),
    check_right_outputs_score_one: lambda: broken("predict", lambda f, x: f(-x)),
    check_prediction: lambda: broken("predict", lambda f, x: f(x) | {"label": f(x)["label"].int()}),
    check_baseline: lambda: broken("baseline", lambda f, b: {k: v[:1] for k, v in f(b).items()}),
    check_observing_can_be_repeated: lambda: broken("baseline", _drift()),
    check_counts_are_in_the_state: lambda: broken("state_dict", lambda f: {k: v * 0 for k, v in f().items()}),
    check_nothing_observed_is_no_error: lambda: broken("finish_observing", _refuse),
    check_diagnostics: lambda: broken("diagnostics", lambda f, rows: {name: {} for name in f(rows)}),
    check_draw: lambda: broken("draw", lambda f, image, values: image),
}


def _drift() -> Callable[..., Any]:
    calls = iter((1.0, 2.0))
    return lambda f, b: {k: v * next(calls) for k, v in f(b).items() if k == "probability"}


@pytest.mark.parametrize("check", BROKEN, ids=lambda check: check.__name__)
def test_broken_task_fails(check: Callable[[Any, str], None]) -> None:
    with pytest.raises((AssertionError, RuntimeError, DataError, KeyError)):
        check(BROKEN[check](), "class_logits")


def test_every_check_is_broken_once() -> None:
    assert BROKEN.keys() == set(CHECKS)
