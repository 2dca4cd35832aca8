"""Compares every value of a config with the type of its key, and every key with those there are.

The types stand in ``config/schema/keys.json``. A class of the user's own takes what it takes: of its keys only those
are compared that the whole group has.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

from vggexp.config.help import TRAINS, groups
from vggexp.config.naming import written_in
from vggexp.config.schema.known import schema, wanted
from vggexp.errors import ConfigError, did_you_mean, require_known

Config = Mapping[str, Any]
Entries = Mapping[str, Mapping[str, Any]]

_IS: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value),
    "text": lambda value: isinstance(value, str),
    "list": lambda value: isinstance(value, list),
    "mapping": lambda value: isinstance(value, Mapping),
    "word": lambda value: False,
    "any": lambda value: True,
}
"""By type: whether a value is of it."""
_GROUPS = ("task", "data", "backbone", "head", "loss", "freeze", "optimizer", "scheduler", "trainer")
_OUTPUTS = ("takes", "scores", "targets", "needs", "provides")
"""Lists of outputs and targets, whose names are never numbers, as those of classes may be."""
_HYDRAS = {"_target_", "_partial_", "_convert_", "_recursive_", "_args_"}


def check_schema(verb: str, config: Config) -> None:
    """ConfigError for the first value of a type that its key does not take, and for the first unknown key."""
    root = schema()["verb"][verb]
    known = {key.partition(".")[0] for key in root} | set(groups() if verb in TRAINS else config.get("choice", {}))
    for name, value in config.items():
        if name == "experiment":
            raise ConfigError(_no_package(config, value))
        if name == "choice" or (name not in known and verb == "summary"):
            continue
        if name not in known:
            raise ConfigError(f"there is no key '{name}'{did_you_mean(name, known)}")
        if below := {key.removeprefix(f"{name}."): entry for key, entry in root.items() if key.startswith(f"{name}.")}:
            _require_mapping(name, value)
            _check_keys(name, value, below)
        elif name in root:
            _check_value(name, value, root[name])
        elif isinstance(value, Mapping):
            _check_group(name, value, config)
        else:
            raise ConfigError(no_option(name, value))


def no_option(group: str, value: Any = None) -> str:
    """The line for a group that has a value in place of an option."""
    said = f"{group}={'null' if value is None else value}"
    if group in ("callback", "logger"):
        return f"{said}: write {group}=[] for none"
    return f"{said} is no option{did_you_mean(str(value), groups()[group])}"


def is_needed(key: str) -> bool:
    """Whether a training cannot do without a group or a key: it belongs to the verb, or to its group as a whole."""
    owned = {*schema()["verb"]["train"], *schema()["target"]["vggexp.trainer.default.build_trainer"]}
    owned |= {f"{group}.{name}" for group, entries in schema()["group"].items() for name in entries}
    return key in _GROUPS or key.removeprefix("trainer.") in owned or any(own.startswith(f"{key}.") for own in owned)


def check_groups(verb: str, config: Config) -> None:
    """ConfigError for the first group that has no option: a training takes one of each."""
    for group in _GROUPS if verb in TRAINS else set(_GROUPS).intersection(config):
        if group not in config:
            raise ConfigError(f"{group} is missing: a training takes one{did_you_mean('', groups()[group])}")
        if not isinstance(config[group], Mapping):
            raise ConfigError(no_option(group, config[group]))


def _check_group(group: str, own: Config, config: Config) -> None:
    if group in ("callback", "logger"):
        if "_target_" in own:
            option = config.get("choice", {}).get(group)
            raise ConfigError(f"{group}={option}: its YAML lacks its first line '# @package {group}.NAME'")
        for name, each in own.items():
            _require_mapping(f"{group}.{name}", each)
            _check_part(group, f"{group}.{name}", each)
        return
    _check_part(group, group, own)


def _check_part(group: str, where: str, own: Config) -> None:
    """Check a mapping that describes an object, and the parts below it."""
    known = schema()["target"].get(str(own.get("_target_")))
    shared = schema()["group"].get(group, {})
    entries = {**(known or {}), **shared}
    _check_keys(where, own, entries, is_open=known is None or "**" in known)
    for name, part in own.get("part", {}).items() if isinstance(own.get("part"), Mapping) else ():
        _require_mapping(f"{where}.part.{name}", part)
        _check_part(group, f"{where}.part.{name}", part)


def _check_keys(where: str, own: Config, entries: Entries, is_open: bool = False) -> None:
    for key, value, entry in _pairs(own, entries):
        if entry is not None:
            _check_value(f"{where}.{key}", value, entry)
        elif not is_open:
            near = did_you_mean(key, [name for name in entries if "." not in name])
            raise ConfigError(f"there is no key '{where}.{key}'{near}")


def _pairs(own: Config, entries: Entries, prefix: str = "") -> Iterator[tuple[str, Any, Mapping[str, Any] | None]]:
    """Each dotted key with its value and what the schema says of it; None: nothing."""
    for name, value in own.items():
        key = f"{prefix}{name}"
        if any(entry.startswith(f"{key}.") for entry in entries) and isinstance(value, Mapping):
            yield from _pairs(value, entries, f"{key}.")
        elif name not in _HYDRAS:
            yield key, value, entries.get(key)


def _check_value(key: str, value: Any, entry: Mapping[str, Any]) -> None:
    if "word" in entry["types"] and isinstance(value, str | bool):
        require_known(key, value, map(str, entry["words"]))
    elif not _fits(value, entry) or (key.rpartition(".")[2] in _OUTPUTS and not _are_words(value)):
        raise ConfigError(_wrong(key, value, entry))


def _are_words(value: Any) -> bool:
    return not isinstance(value, list) or all(isinstance(one, str) for one in value)


def _fits(value: Any, entry: Mapping[str, Any]) -> bool:
    if isinstance(value, list) and "list" in entry["types"]:
        return all(_fits_in_list(each, entry["item"]) for each in value)
    if "word" in entry["types"] and isinstance(value, str | bool):
        return str(value).lower() in entry["words"]
    return not entry["types"] or any(_IS[kind](value) for kind in entry["types"])


def _is_number(key: str, value: Any) -> bool:
    return key in _OUTPUTS and not isinstance(value, str)


def _fits_in_list(value: Any, item: Mapping[str, Any]) -> bool:
    """Whether a list may hold the value; a name may be a number, as those of classes often are."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return _fits(value, item) or ("text" in item["types"] and is_number)


def _wrong(key: str, value: Any, entry: Mapping[str, Any]) -> str:
    """The line for a value of a wrong type: what it is, what would be right, and what the key means."""
    shown = yaml.safe_dump(value).split("\n")[0] if isinstance(value, bool | None) else value
    if "text" in entry["types"] and isinstance(value, int | float) and not isinstance(value, bool):
        return f"{key}={shown} is a number, not {wanted(entry)}; in two pairs of quotes it is text: '{key}=\"{shown}\"'"
    meaning = f" ({entry['meaning']})" if "meaning" in entry else ""
    if isinstance(value, list) and value and "item" in entry and " of " not in wanted(entry):
        name = key.rpartition(".")[2]
        bad = next((one for one in value if not _fits_in_list(one, entry["item"]) or _is_number(name, one)), None)
        return f"{key}={value}: {'null' if bad is None else bad} is not {wanted(entry['item'])}{meaning}"
    return f"{key}={shown} is not {wanted(entry)}{meaning}"


def _require_mapping(key: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        shown = "null" if value is None else value
        raise ConfigError(f"{key}={shown} stands in the place of its keys; leave it out, or set {key}.KEY=VALUE")


def _no_package(config: Config, content: Any) -> str:
    option = config.get("choice", {}).get("experiment")
    keys = ", ".join(content) if isinstance(content, Mapping) else content
    return (
        f"{written_in('experiment', str(option))} lacks the first line '# @package _global_': without it, its keys "
        f"({keys}) change nothing"
    )
