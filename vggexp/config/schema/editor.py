"""The JSON Schema of presets (``conf/experiment``), for editors that complete and check YAML."""

from collections.abc import Mapping
from typing import Any

from vggexp.config.help import groups, options
from vggexp.config.schema.known import schema

Schema = dict[str, Any]

_KINDS = {
    "null": "null", "bool": "boolean", "int": "integer", "float": "number", "text": "string", "list": "array",
    "mapping": "object",
}  # fmt: skip
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_COMPUTED: Schema = {"type": "string", "pattern": r"\$\{"}
"""An interpolation, which may stand for any value."""


def preset_schema() -> Schema:
    """JSON Schema (draft 7) of a preset: ``defaults``, the keys of train, and those of every option of its groups."""
    keys = _nested({key: _of_key(entry) for key, entry in schema()["verb"]["train"].items()})
    parts = {group: _of_group(group) for group in groups() if group not in ("experiment", "augment", "hydra")}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A preset of vggexp",
        "type": "object",
        "properties": {"defaults": _defaults(), "hydra": {}, **keys["properties"], **parts},
        "additionalProperties": False,
    }


def _defaults() -> Schema:
    chosen: dict[str, Schema] = {}
    for group in groups():
        words: Schema = {"enum": options(group)}
        option = {"anyOf": [words, {"type": "null"}, {"type": "array", "items": words}, _COMPUTED]}
        chosen |= {f"override /{group}": option, f"/{group}": option, f"optional /{group}": option}
    entry = {"anyOf": [{"type": "string"}, {"type": "object", "properties": chosen}]}
    return {"type": "array", "items": entry, "description": "the options that the preset chooses"}


def _of_group(group: str) -> Schema:
    """Any key of any option; one with a ``_target_`` of its own takes what that takes."""
    if group in ("callback", "logger"):
        return {"type": "object", "description": f"by name, one {group} each"}
    names = {name for option in options(group) if (name := _target(group, option))}
    taken: dict[str, list[Schema]] = {}
    for entries in (*(schema()["target"].get(name, {}) for name in names), schema()["group"].get(group, {})):
        for key, entry in entries.items():
            taken.setdefault(key, []).append(_of_key(entry))
    is_open = bool(taken.pop("**", None)) or not taken
    merged = {key: found[0] if len(found) == 1 else {"anyOf": _distinct(found)} for key, found in taken.items()}
    named = _nested(merged)
    named["properties"] |= {"part": {"type": "object"}}
    own = {"required": ["_target_"]}
    return {"type": "object", "if": own, "then": {}, "else": {**named, "additionalProperties": is_open}}


def _target(group: str, option: str) -> str:
    import yaml

    from vggexp.config.help import CONF

    content = yaml.safe_load((CONF / group / f"{option}.yaml").read_text(encoding="utf-8")) or {}
    return str(content.get("_target_", ""))


def _of_key(entry: Mapping[str, Any]) -> Schema:
    described = {"description": entry["meaning"]} if "meaning" in entry else {}
    if not entry["types"] or "any" in entry["types"]:
        return described
    bounds = {name: entry[name] for name in _BOUNDS if name in entry}
    return {**described, "anyOf": [*(_of_type(kind, entry, bounds) for kind in entry["types"]), _COMPUTED]}


def _of_type(kind: str, entry: Mapping[str, Any], bounds: Schema) -> Schema:
    if kind == "word":
        words = [{"true": True, "false": False}.get(str(word), word) for word in entry["words"]]
        return {"enum": words}
    if kind == "list":
        item = {**entry["item"], **bounds}
        return {"type": "array", "items": _of_key(item)}
    return {"type": _KINDS[kind], **(bounds if kind in ("int", "float") else {})}


def _distinct(found: list[Schema]) -> list[Schema]:
    return [one for place, one in enumerate(found) if one not in found[:place]]


def _nested(keys: Mapping[str, Schema]) -> Schema:
    """Dotted keys as objects within objects."""
    whole: Schema = {"type": "object", "properties": {}}
    for key, one in keys.items():
        *above, name = key.split(".")
        place = whole["properties"]
        for part in above:
            place = place.setdefault(part, {"type": "object", "properties": {}, "additionalProperties": False})
            place = place.setdefault("properties", {})
        place[name] = one
    return whole
