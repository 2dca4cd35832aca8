"""Finds the values of a key in a config: of the group itself, and of the parts of a parallel head or loss."""

from collections.abc import Iterator, Mapping
from typing import Any

Config = Mapping[str, Any]


def lists(config: Config, key: str) -> Iterator[tuple[str, Any]]:
    """The values of a key, also in the parts of a parallel head or loss, each with its full key; without None."""
    group, _, name = key.rpartition(".")
    if (value := value_of(config, key)) is not None:
        yield key, value
    parts = config.get(group, {}).get("part", {}) if group else {}
    for part, own in parts.items():
        if own.get(name) is not None:
            yield f"{group}.part.{part}.{name}", own[name]


def values(config: Config, key: str) -> Iterator[tuple[str, Any]]:
    """Like ``lists``, but yields each number of a list separately; a word in place of one is for the schema."""
    for name, value in lists(config, key):
        if key == "data.batch_size" and isinstance(value, str):
            continue
        for one in value if isinstance(value, list) else [value]:
            yield name, one


def value_of(config: Config, key: str, default: Any = None) -> Any:
    """A key's value; the default if the verb or an older recorded run lacks the key."""
    *groups, name = key.split(".")
    for group in groups:
        inner = config.get(group)
        config = inner if isinstance(inner, Mapping) else {}
    return config.get(name, default)
