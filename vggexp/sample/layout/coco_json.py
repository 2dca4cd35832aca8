"""Reads the JSON of COCO's layout: images, annotations, categories.

If msgspec is installed, it reads the file entry by entry (``coco_pieces``). Otherwise, and to explain errors, Python's
own parser calls ``_small`` for each object as soon as it is read, so that little more than the text is in memory.
"""

import json
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vggexp.errors import DataError, first_line
from vggexp.sample.layout.coco_entries import Annotation, Id, Image, compact

LARGE = 50 * 2**20
"""From this size on, in bytes, reading takes seconds and is announced."""
LISTS = ("images", "annotations", "categories")
HAS_MSGSPEC = find_spec("msgspec") is not None


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
    is_large = (size := path.stat().st_size if path.is_file() else 0) > LARGE
    if is_large:
        advice = "" if HAS_MSGSPEC else "; pip install 'vggexp[coco]' for less time and memory"
        print(f"vggexp: data: reading {path.name}, {size / 2**20:,.0f} MiB{advice}", file=sys.stderr, flush=True)
    if HAS_MSGSPEC:
        from vggexp.sample.layout.coco_pieces import read_pieces

        if (pieces := read_pieces(path, is_large and sys.stderr.isatty())) is not None:
            images, annotations, categories = pieces
            return CocoJson(images, annotations, _categories(path, categories))
    return _read_whole(path)


def _read_whole(path: Path) -> CocoJson:
    """Read by Python's own parser, whose errors name the place of a mistake."""
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
        (shape, odd), crowd = compact(found.get("segmentation")), bool(found.get("iscrowd"))
        of = found["image_id"], found["category_id"]
        return Annotation(found.get("id"), *of, found.get("bbox"), shape, crowd, odd)
    if "file_name" in found and "id" in found:
        return Image(found["id"], found["file_name"], found.get("height"), found.get("width"))
    return found
