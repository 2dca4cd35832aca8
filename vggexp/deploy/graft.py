"""Merges several networks with the same backbone into one: config, weights, and a check that the outputs stay equal.

As on the lecture's last slide: train a box head on a classifier's frozen convolutions; one network with a softmax
head and a sigmoid head then does both.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from vggexp.errors import ConfigError
from vggexp.learner.learner import Learner
from vggexp.transfer.class_names import LISTS, require_same_names
from vggexp.types import DataInfo, ObjectList, same_objects

Config = Mapping[str, Any]

_ONLY_LOADING = frozenset(
    {
        "batch_size",
        "workers",
        "timeout",
        "sampling",
        "cache",
        "cache_max_gb",
        "cache_dir",
        "index_dir",
        "download",
        "train_transform",
        "provides",
        "root",
    }
)
"""Keys of a data set's config that affect neither the choice nor the content of the samples for evaluation.

Where the data lie is one of them: ``same_data`` compares what lies there.
"""


def tasks_of(config: Config) -> dict[str, str]:
    """A run's tasks, each with the prefix of its tensors after "head." and "task.": "" if there is only one task."""
    parts = config["task"].get("parts")
    return {name: f"part.{name}." for name in parts} if parts else {config["choice"]["task"]: ""}


def check_mergeable(names: Sequence[str], configs: Sequence[Config]) -> None:
    """ConfigError unless the runs have different tasks, the same kind of backbone and the same data set.

    The merged run has one data set, on which all its heads are evaluated.
    """
    found: dict[str, str] = {}
    for name, config in zip(names, configs, strict=True):
        for task in tasks_of(config):
            if task in found:
                raise ConfigError(f"graft: both {found[task]} and {name} are runs of {task}; give one run per task")
            found[task] = name
    if len(names) < 2:
        raise ConfigError(
            "graft: give two or more runs, such as: graft runs/classifier runs/localizer output=runs/both"
        )
    first = _reading(configs[0])
    for name, config in zip(names[1:], configs[1:], strict=True):
        its = _reading(config)
        for key in (key for key in first if key in its):  # older runs may lack a key
            if its[key] != first[key]:
                raise ConfigError(
                    f"graft: {key} is {first[key]} in {names[0]} and {its[key]} in {name}; "
                    f"only runs with the same data set and the same kind of backbone can be merged"
                )


def check_names(names: Sequence[str], infos: Sequence[DataInfo]) -> None:
    """ConfigError unless all runs' checkpoints have the same class names in the same order."""
    advice = "graft merges runs on the same classes"
    for name, info in zip(names[1:], infos[1:], strict=True):
        require_same_names(infos[0], info, tuple(LISTS), (names[0], name), advice)


def _reading(config: Config) -> dict[str, Any]:
    own, backbone = config["data"], config["backbone"]
    return {
        "data": config["choice"]["data"],
        **{f"data.{key}": _content(key, value) for key, value in own.items() if key not in _ONLY_LOADING},
        **{f"backbone.{key}": value for key, value in backbone.items() if not key.startswith("weights")},
    }


def _content(key: str, value: Any) -> Any:
    """What a key says: of a file of splits its digest, since each run has a file of its own."""
    if key == "split" and isinstance(value, str) and Path(value).is_file():
        return f"splits.csv {hashlib.sha256(Path(value).read_bytes()).hexdigest()[:8]}"
    return value


def check_backbones(names: Sequence[str], learners: Sequence[Learner]) -> int:
    """ConfigError with the first stage that differs, and by how much; otherwise return the number of equal tensors."""
    first = learners[0].freezing.tensors()
    for name, learner in zip(names[1:], learners[1:], strict=True):
        for stage, tensors in learner.freezing.tensors().items():
            if stage == "head":
                continue
            pairs = [(first[stage][key].detach().double(), t.detach().double(), key) for key, t in tensors.items()]
            if all(torch.equal(a, b) for a, b, _ in pairs):
                continue
            apart, key = max((float((a - b).abs().max()), key) for a, b, key in pairs)
            raise ConfigError(
                f"graft: the backbones of {names[0]} and {name} differ from {stage} on, "
                f"by up to {apart:.3g} (in {key}); "
                f"train the second run with freeze=backbone backbone.weights={names[0]}"
            )
    return sum(len(tensors) for stage, tensors in first.items() if stage != "head")


def merge_configs(names: Sequence[str], configs: Sequence[Config], multitask: Config, folder: str) -> dict[str, Any]:
    """The config of the merged run; a run with this config starts from the merged weights.

    Args:
        names: the runs, as ``backbone.weights`` and ``head.part.<task>.weights`` take them.
        configs: the runs' configs.
        multitask: the config of ``task=multitask``, for its ``task``, ``head``, ``loss`` and ``objective``.
        folder: the folder of the merged run.
    """
    part: dict[str, dict[str, Any]] = {"task": {}, "head": {}, "loss": {}}
    for name, config in zip(names, configs, strict=True):
        for task, prefix in tasks_of(config).items():
            for group, parts in part.items():
                parts[task] = dict(config[group]["part"][task] if prefix else config[group])
            part["head"][task] |= {"weights": name, "weights_map": "same"}
    groups = {group: {**multitask[group], "part": parts} for group, parts in part.items()}
    groups["task"] |= {"parts": list(part["task"]), "weights": dict.fromkeys(part["task"], 1.0)}
    first = configs[0]
    return {
        **first,
        **groups,
        "choice": {
            **first["choice"],
            "task": "multitask",
            "head": "parallel",
            "loss": "parallel",
            "freeze": "backbone",
        },
        "backbone": {**first["backbone"], "weights": names[0], "weights_map": "same"},
        "freeze": multitask["freeze"],
        "objective": multitask["objective"],
        "run": {**first["run"], "name": folder, "dir": folder, "overwrite": False},
    }


def merge_states(configs: Sequence[Config], learners: Sequence[Learner]) -> dict[str, Tensor]:
    """The state dict with the first run's backbone, and every run's head and task counts under its part's name."""
    merged = {name: t for name, t in learners[0].state_dict().items() if name.startswith("backbone.")}
    for config, learner in zip(configs, learners, strict=True):
        for task, prefix in tasks_of(config).items():
            for name, tensor in learner.state_dict().items():
                for root in ("head.", "task."):
                    if name.startswith(root + prefix):
                        merged[f"{root}part.{task}.{name.removeprefix(root + prefix)}"] = tensor
    return merged


def check_equal(merged: Learner, configs: Sequence[Config], learners: Sequence[Learner], images: Tensor) -> None:
    """AssertionError unless the merged network's outputs are bit-identical to those of the single networks.

    Args:
        images: uint8, (N, 3, H, W).
    """
    together = _outputs(merged, images)
    for config, learner in zip(configs, learners, strict=True):
        single = _outputs(learner, images)
        for task, prefix in tasks_of(config).items():
            assert _equal(together[task], single[task] if prefix else single[""]), f"{task} gives other outputs"


def seconds_of(learners: Sequence[Learner], images: Tensor, repeats: int = 5) -> float:
    """The shortest time, seconds, for these networks to process the images one after the other."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        for learner in learners:
            _outputs(learner, images)
        times.append(time.perf_counter() - start)
    return min(times)


def _equal(one: Any, other: Any) -> bool:
    """Whether two outputs of a head, tensors or objects, are equal to the bit."""
    if isinstance(one, ObjectList):
        return len(one) == len(other) and all(map(same_objects, one, other))
    return torch.equal(one, other)


def _outputs(learner: Learner, images: Tensor) -> dict[str, Any]:
    with torch.inference_mode():
        outputs = learner.eval()(images)
    return cast("dict[str, Any]", outputs) if isinstance(outputs, dict) else {"": outputs}
