"""YOLO's ``data.yaml``: the classes' names, and where the photos of each split lie."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path
from typing import Any

import yaml

from vggexp.errors import DataError, first_line
from vggexp.sample.layout.folders import NAMES
from vggexp.sample.layout.split_lists import text_of

NAME_FILES = ("classes.txt", "labels/classes.txt", "obj.names")
"""Lists of the classes' names that stand in for a data.yaml."""


@dataclass(frozen=True)
class Described:
    """What data.yaml says."""

    names: Mapping[int, str]
    """The classes by number."""
    file: str
    """Its name, for messages."""
    places: Mapping[str | None, list[Path]]
    """By split, folders of photos and lists of them; {} where nothing is said."""
    keypoints: bool = False
    """Rows go on after the box with the points of a pose."""


def description(root: Path, named: str | None) -> Path:
    """The file that describes a folder in YOLO's layout.

    Raises:
        DataError: there is none, or several.
    """
    if named is not None:
        if ".." in Path(named).parts or not (root / named).is_file():
            raise DataError(f"data.yaml={named} is no file of {root}; give its path below data.root")
        return root / named
    found = [path for path in sorted([*root.glob("*.yaml"), *root.glob("*.yml")]) if "names" in _content(path)]
    usual = [path for path in found if path.stem == "data"]
    if len(usual or found) > 1:
        raise DataError(f"{root} has {found[0].name} and {found[1].name}; give one of them with data.yaml=")
    lists = [root / name for name in NAME_FILES if (root / name).is_file()]
    if not (usual or found or lists):
        raise DataError(f"{root} has no data.yaml with the classes' names, and no classes.txt; write one")
    return (usual or found or lists)[0]


def described(file: Path, root: Path) -> Described:
    """What a data.yaml, or a list of classes, says.

    Raises:
        DataError: it names no classes, or photos that are not below the root.
    """
    name = file.relative_to(root).as_posix()
    if file.suffix not in (".yaml", ".yml"):
        lines = [line.strip() for line in text_of(file).splitlines() if line.strip()]
        return Described(dict(enumerate(lines)), name, {})
    content = _content(file)
    places: dict[str | None, list[Path]] = {
        NAMES[key]: [_place(file, root, content, key, each) for each in _listed(value) if isinstance(each, str)]
        for key, value in content.items()
        if isinstance(key, str) and key in NAMES and value
    }
    return Described(_names(content, name), name, places, "kpt_shape" in content)


def _content(file: Path) -> Mapping[str, Any]:
    """What a YAML file holds, if that is a mapping.

    Raises:
        DataError: it is no YAML.
    """
    try:
        content = yaml.safe_load(text_of(file))
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: 2001-99-99 is no date
        raise DataError(f"{file} is not YAML ({first_line(error)}); correct it") from error
    return content if isinstance(content, Mapping) else {}


def _names(content: Mapping[str, Any], file: str) -> dict[int, str]:
    names = content.get("names")
    pairs = dict(enumerate(names)) if isinstance(names, list) else names
    is_sound = isinstance(pairs, Mapping) and all(isinstance(key, int) for key in pairs)
    if is_sound and pairs and all(isinstance(name, str | int | float) for name in pairs.values()):
        found = {key: str(pairs[key]) for key in sorted(pairs)}
    else:
        raise DataError(f"{file} names no classes; give names: [cat, dog], or names: {{0: cat, 1: dog}}")
    if repeated := sorted({name for name in found.values() if list(found.values()).count(name) > 1}):
        raise DataError(f"{file} gives the name {repeated[0]!r} twice; give each class a name of its own")
    count = content.get("nc", len(found))
    if count != len(found):
        raise DataError(f"{file} has nc: {count} and {len(found)} names; correct one of them")
    return found


def _place(file: Path, root: Path, content: Mapping[str, Any], key: str, value: str) -> Path:
    """The folder or list of a split: below ``path`` or below the file's folder, and never outside the root.

    Roboflow writes "../train/images" beside "train/", which Ultralytics reads as if ".." were not there; so is it here.
    """
    path = content.get("path")
    base = Path(normpath(file.parent / (path if isinstance(path, str) else "")))
    inner = "/".join(part for part in value.replace("\\", "/").split("/") if part not in ("", ".", ".."))
    for place in (base / value, file.parent / value, base / inner, file.parent / inner):
        whole = Path(normpath(place))
        if whole.is_relative_to(normpath(root)) and os.path.exists(whole):  # noqa: PTH110  Path's raises on long names
            return whole
    raise DataError(f"{file.name}: {key}: {value} is nothing below {root}; write the path relative to {file.name}")


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
