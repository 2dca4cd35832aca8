"""Keys that the YAML of a group must have, beside its class's arguments: checks and the program read them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vggexp.errors import ConfigError

Config = Mapping[str, Any]

TARGETS = ("label", "labels", "box", "mask", "objects", "object_masks")
"""As ``types.TARGETS``, which cannot be imported here: it comes with torch; and the objects' masks."""

REQUIRED: dict[str, dict[str, str]] = {
    "data": {
        "_target_": "the class, such as mypackage.data.Mine",
        "provides": "the targets that its samples have, of [label, labels, box, mask, objects, object_masks]",
        "image_size": "[height, width] of what the network sees",
        "batch_size": "images to a batch, such as 32",
        "workers": "loading processes; null: as many as fit",
        "train_transform": "the steps of augmentation; [] for none",
        "eval_transform": "the steps that every image takes; [] for none",
    },
    "backbone": {"_target_": "the class", "weights": "none, imagenet or a run folder"},
    "head": {"_target_": "the class", "gives": "what the task takes, such as class_logits"},
    "task": {"_target_": "the class", "takes": "what a head gives, such as [class_logits]"},
    "loss": {"_target_": "the class", "scores": "what a head gives, such as [class_logits]"},
    "freeze": {"_target_": "the class"},
    "optimizer": {"_target_": "the class", "lr": "the learning rate", "decay_biases_and_norms": "true or false"},
    "scheduler": {"_target_": "the function"},
}
"""By group: each key, and what it holds."""


def check_keys(config: Config) -> None:
    """ConfigError for the first key that a group's YAML lacks, or that has no list of targets where one belongs."""
    for group, keys in REQUIRED.items():
        own = config.get(group)
        for where, part in _parts(group, own) if isinstance(own, Mapping) else ():
            _check(where, part, keys, f"{group}/{config['choice'].get(group)}.yaml")
    for key, listed in (("data.provides", config["data"]["provides"]), *_needs(config)):
        if not isinstance(listed, list) or not set(map(str, listed)) <= set(TARGETS):
            raise ConfigError(f"{key}={listed} must be a list of targets, of [{', '.join(TARGETS)}]")


def _parts(group: str, own: Config) -> list[tuple[str, Config]]:
    """A group's keys, and those of its parts, by the key they stand under."""
    return [(group, own), *((f"{group}.part.{name}", part) for name, part in own.get("part", {}).items())]


def _check(where: str, own: Config, keys: Mapping[str, str], file: str) -> None:
    for key, what in keys.items():
        if key not in own:
            raise ConfigError(f"{where}.{key} is missing; give it in {file}: {what}")


def _needs(config: Config) -> list[tuple[str, Any]]:
    task = config["task"]
    parts = {f"task.part.{name}": part for name, part in task.get("part", {}).items()} or {"task": task}
    return [(f"{key}.needs", part.get("needs")) for key, part in parts.items()]


_SECRET = re.compile(r"(^|[_-])(key|token|secret|password|passwd|credentials?)$", re.IGNORECASE)
_LOGIN = re.compile(r"://[^/\s:@]+:[^/\s@]+@")


def check_secrets(config: Config) -> None:
    """ConfigError for the first value that looks like a secret, which is not repeated: a run would write it down."""
    for key, value in _texts(config):
        if value and (_SECRET.search(key.rpartition(".")[2]) or _LOGIN.search(value)):
            raise ConfigError(
                f"{key} looks like a secret, and a config is written into the run folder and its checkpoints; let your "
                "class read it from the environment"
            )


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a config, with its dotted key."""
    if isinstance(value, str):
        yield key, value
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from _texts(one, f"{key}.{name}" if key else str(name))
