"""The JSON of COCO's layout as it is, in little memory: images, annotations, categories.

Python's own parser calls ``_small`` for each object of the file as soon as it is read. An annotation then keeps five
fields, and its outline becomes machine numbers of 8 bytes, a quarter of a list's. So instances_train2017.json, 450 MB,
needs little more than its text; a parser that streams would save that text, too, and be one more package and slower.
"""

import json
import sys
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from vggexp.errors import DataError, first_line
from vggexp.sample.record.record import Shape

Id = int | str
LARGE = 50 * 2**20
"""Bytes of a file that takes seconds: its reading is told."""
LISTS = ("images", "annotations", "categories")


class Image(NamedTuple):
    """An entry of "images"; the fields are what the file says, unchecked."""

    id: Any
    file_name: Any
    height: Any
    width: Any


class Annotation(NamedTuple):
    """An entry of "annotations"; the fields but ``shape`` are what the file says, unchecked."""

    id: Any
    image_id: Any
    category_id: Any
    bbox: Any
    shape: Shape | None
    crowd: bool
    odd: str
    """What is wrong with the outline, in words; "" if nothing is."""


@dataclass(frozen=True)
class CocoJson:
    """The lists of a file."""

    images: list[Image]
    annotations: list[Annotation]
    categories: list[tuple[Id, str]]
    """Ids and names, in the order of the ids."""


def read_json(path: Path) -> CocoJson:
    """Parse a file.

    Raises:
        DataError: it cannot be read, is no JSON, or lacks a list or one of the fields that all entries need.
    """
    if (size := path.stat().st_size if path.is_file() else 0) > LARGE:
        print(f"vggexp: data: reading {path.name}, {size / 2**20:,.0f} MiB", file=sys.stderr, flush=True)
    try:
        with path.open(encoding="utf-8-sig") as file:
            content = json.load(file, object_hook=_small)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    except (ValueError, RecursionError) as error:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        raise DataError(f"{path} is no sound JSON ({first_line(error)}); export it again") from error
    if not isinstance(content, dict) or any(not isinstance(content.get(key), list) for key in LISTS):
        keys = f"it has {', '.join(map(str, content))}" if isinstance(content, dict) else "it is no object"
        raise DataError(f"{path} lacks one of the lists {', '.join(LISTS)} ({keys}); export it as COCO")
    images, annotations, categories = (content[key] for key in LISTS)
    for key, entries, kind in (("images", images, Image), ("annotations", annotations, Annotation)):
        odd = next((number for number, each in enumerate(entries) if not isinstance(each, kind)), None)
        if odd is not None:
            needed = "id and file_name" if kind is Image else "image_id and category_id"
            raise DataError(f"{path}: {key}[{odd}] lacks {needed}; export it as COCO's object detection")
    return CocoJson(images, annotations, _categories(path, categories))


def _categories(path: Path, entries: list[Any]) -> list[tuple[Id, str]]:
    found: dict[Id, str] = {}
    for number, entry in enumerate(entries):
        sound = (
            isinstance(entry, dict) and isinstance(entry.get("id"), int | str) and entry.get("name") not in (None, "")
        )
        if not sound:
            raise DataError(f"{path}: categories[{number}] lacks an id or a name; give it both")
        if entry["id"] in found:
            raise DataError(f"{path}: two categories have the id {entry['id']}; give each its own")
        found[entry["id"]] = str(entry["name"]).strip()
    return sorted(found.items(), key=lambda pair: (isinstance(pair[0], str), pair[0]))


def _small(found: dict[str, Any]) -> Any:
    """What is kept of an object of the file."""
    if "image_id" in found and "category_id" in found:
        (shape, odd), crowd = _compact(found.get("segmentation")), bool(found.get("iscrowd"))
        of = found["image_id"], found["category_id"]
        return Annotation(found.get("id"), *of, found.get("bbox"), shape, crowd, odd)
    if "file_name" in found and "id" in found:
        return Image(found["id"], found["file_name"], found.get("height"), found.get("width"))
    return found


def _compact(outline: Any) -> tuple[Shape | None, str]:
    """An outline in little memory, None if there is none; and what is wrong with it."""
    if not outline:
        return None, ""
    try:
        if isinstance(outline, dict):
            height, width = map(int, outline["size"])
            counts = outline["counts"]
            return {"size": (height, width), "counts": counts if isinstance(counts, str) else array("l", counts)}, ""
        polygons = [outline] if isinstance(outline[0], int | float) else outline
        whole = tuple(array("d", polygon) for polygon in polygons)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None, "outline that is neither polygons nor run lengths: skipped"
    sound = tuple(polygon for polygon in whole if len(polygon) >= 6 and len(polygon) % 2 == 0)
    return sound or None, "" if len(sound) == len(whole) else "polygon that is not three points or more: skipped"
