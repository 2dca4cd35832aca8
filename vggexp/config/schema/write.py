"""Makes ``keys.json`` anew: ``python -m vggexp.config.schema.write``. Alone of its room it imports constructors."""

import inspect
import json
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Union, Unpack, get_args, get_origin, get_type_hints, is_typeddict

import yaml

from vggexp.config.check.ranges import least_and_most
from vggexp.config.help import CONF, groups, verbs
from vggexp.config.schema.own import GROUPS, VERBS

FILE = Path(__file__).with_name("keys.json")
Entry = dict[str, Any]

_NAMES = {bool: "bool", int: "int", float: "float", str: "text", Path: "text", type(None): "null", Any: "any"}
# Arguments that the program hands over.
_GIVEN = {"spec", "info", "params", "optimizer", "span", "folder", "save_dir", "loggers", "callbacks", "standing",
          "changing", "loss", "maps", "patch_side", "windows"}  # fmt: skip


def schema() -> dict[str, dict[str, dict[str, Entry]]]:
    """By verb, by group and by constructor: each key with its types, range and meaning."""
    return {
        "verb": {verb: _described(_flat({"debug": bool, **get_type_hints(VERBS[verb])}), _root(verb))
                 for verb in verbs()},
        "group": {group: _of_group(group) for group in sorted(GROUPS)},
        "target": dict(sorted(dict(_targets()).items())),
    }  # fmt: skip


def text() -> str:
    """The content of the file: a line for each key."""
    return "{\n" + ",\n".join(f" {_line(part)}: {_block(owners)}" for part, owners in schema().items()) + "\n}\n"


def _block(owners: Mapping[str, Mapping[str, Entry]]) -> str:
    blocks = []
    for owner, keys in owners.items():
        lines = ",\n".join(f"   {_line(key)}: {_line(entry)}" for key, entry in keys.items())
        blocks.append(f"  {_line(owner)}: {{\n{lines}\n  }}" if keys else f"  {_line(owner)}: {{}}")
    return "{\n" + ",\n".join(blocks) + "\n }"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _of_group(group: str) -> dict[str, Entry]:
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((CONF / group).glob("*.yaml")))
    return _described(_flat(get_type_hints(GROUPS[group])), f"{text}\n{_root('train')}", f"{group}.")


def _targets() -> Iterator[tuple[str, dict[str, Entry]]]:
    """Every constructor that an option names, with its arguments."""
    for group in [*groups(), "evaluation"]:
        for path in () if group in ("experiment", "hydra") else sorted((CONF / group).glob("*.yaml")):
            text = path.read_text(encoding="utf-8")
            if target := yaml.safe_load(text).get("_target_"):
                yield target, _described(_arguments(target), _with_bases(path), f"{group}.")


def _arguments(target: str) -> dict[str, Any]:
    """The arguments that a YAML gives to a constructor, with their hints; ``**``: it takes any."""
    module, _, name = target.rpartition(".")
    maker = getattr(import_module(module), name)
    hints = get_type_hints(maker.__init__ if inspect.isclass(maker) else maker)
    found: dict[str, Any] = {}
    for one in inspect.signature(maker).parameters.values():
        hint = hints.get(one.name, Any)
        if get_origin(hint) is Unpack:
            found |= get_type_hints(get_args(hint)[0])
        elif one.kind is one.VAR_KEYWORD and not target.startswith("vggexp."):
            found["**"] = Any
        elif one.name not in _GIVEN and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            found[one.name] = hint
    return found


def _flat(hints: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The hints by dotted key, those within a TypedDict too."""
    flat: dict[str, Any] = {}
    for name, hint in hints.items():
        flat |= _flat(get_type_hints(hint), f"{prefix}{name}.") if is_typeddict(hint) else {f"{prefix}{name}": hint}
    return flat


def _described(hints: Mapping[str, Any], text: str, prefix: str = "") -> dict[str, Entry]:
    return {
        key: _entry(hint) | least_and_most(f"{prefix}{key}") | _meaning(key, text)
        for key, hint in sorted(hints.items())
    }


def _entry(hint: Any) -> Entry:
    """The YAML types that a hint allows; what no YAML can hold, such as a tensor, is left out."""
    if hint in _NAMES:
        return {"types": [_NAMES[hint]]}
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"types": ["word"], "words": list(inner)}
    if origin in (Union, types.UnionType):
        merged: Entry = {"types": []}
        for entry in map(_entry, inner):
            merged = {**merged, **entry, "types": [*merged["types"], *entry["types"]]}
        return merged
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return {"types": ["list"], "item": _entry(inner[0])}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"types": ["mapping"]}
    return {"types": []}


def _meaning(key: str, text: str) -> Entry:
    """What the comment behind a key's line in a YAML says."""
    found = re.search(rf"^ *{re.escape(key.rpartition('.')[2])}:.*? # *(.*)$", text, re.MULTILINE)
    return {"meaning": found[1].strip()} if found else {}


def _root(verb: str) -> str:
    return (CONF / f"{verb}.yaml").read_text(encoding="utf-8")


def _with_bases(path: Path) -> str:
    """An option's text, and after it those of the files of its group that it takes over."""
    text = path.read_text(encoding="utf-8")
    found = re.search(r"^defaults: \[(.*)\]", text, re.MULTILINE)
    bases = [name for name in (found[1].split(", ") if found else ()) if name != "_self_"]
    return "\n".join([text, *(_with_bases(path.with_name(f"{base}.yaml")) for base in bases)])


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
