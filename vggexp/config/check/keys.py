"""Keys that the YAML of a group must have, beside its class's arguments: checks and the program read them."""

from collections.abc import Mapping
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
