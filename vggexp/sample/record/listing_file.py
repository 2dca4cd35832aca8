"""A listing as bytes and back: what ``kept_listing`` keeps. Plain JSON and numbers, so that reading it runs no code.

The text holds a list for each field of all records, of all objects and of all problems. The numbers of boxes and
outlines stand behind it as they lie in memory: of COCO they are nine tenths of all.
"""

import json
import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Listing, MaskValues, Object, Record, Shape

Content = dict[str, Any]
HEAD = 24
"""Bytes of three numbers: the length of the text, and how many numbers of either kind there are."""
PATHS = ("image", "mask", "instances")
REPEATED = ("labels", "size", "unit", "split", "group")
"""Fields of a record that are the same in many."""

ELSEWHERE = "\0"
"""Before a path that is not below the root; no name has this sign."""


class OddListingError(ValueError):
    """The listing holds something that the file format cannot store."""


def to_bytes(listing: Listing, root: Path) -> list[bytes | memoryview]:
    """The listing of a folder, with paths below it by their names: in parts, which may be large.

    Raises:
        OddListingError: a reader of the user's own wrote another kind of outline, or facts that JSON does not hold.
    """
    floats, whole = array("d"), array("q")
    try:
        text = json.dumps(_content(listing, root, floats, whole)).encode()
    except (TypeError, ValueError, OverflowError) as error:
        raise OddListingError(str(error)) from error
    sizes = array("q", (len(text), len(floats), len(whole))).tobytes()
    return [sizes, text, *(memoryview(numbers).cast("B") for numbers in (floats, whole) if numbers)]


def from_bytes(content: memoryview, root: Path) -> Listing:
    """The listing of a folder that ``to_bytes`` wrote."""
    sizes = array("q", bytes(content[:HEAD]))
    text_end = HEAD + sizes[0]
    floats, whole = content[text_end : text_end + 8 * sizes[1]], content[text_end + 8 * sizes[1] :]
    found = json.loads(bytes(content[HEAD:text_end]))
    masks = found["masks"]
    return Listing(
        records=tuple(_records(found["records"], root, floats, whole)),
        classes=tuple(found["classes"]),
        masks=_mask_values(masks) if masks is not None else None,
        problems=tuple(Problem(*each) for each in found["problems"]),
        boxes=found["boxes"],
        facts={key: tuple(value) if isinstance(value, list) else value for key, value in found["facts"].items()},
        copies=tuple(tuple(group) for group in found["copies"]) if found["copies"] is not None else None,
    )


def _content(listing: Listing, root: Path, floats: "array[float]", whole: "array[int]") -> Content:
    records = listing.records
    columns: Content = {name: _coded(getattr(record, name) for record in records) for name in REPEATED}
    columns |= {name: [getattr(record, name) for record in records] for name in ("name", "annotation")}
    columns |= {name: _paths([getattr(record, name) for record in records], columns["name"], root) for name in PATHS}
    columns["objects"] = _objects(records, floats, whole)
    masks = listing.masks
    return {
        "records": columns,
        "classes": listing.classes,
        "masks": {key: sorted(value) if isinstance(value, frozenset) else value for key, value in asdict(masks).items()}
        if masks
        else None,
        "problems": [(each.kind, each.what, each.where, each.remedy) for each in listing.problems],
        "boxes": listing.boxes,
        "facts": dict(listing.facts),
        "copies": listing.copies,
    }


def _records(columns: Content, root: Path, floats: memoryview, whole: memoryview) -> Iterator[Record]:
    names = columns["name"]
    repeated = [_decoded(columns[name]) for name in REPEATED]
    images, masks, instances = (_restored(columns[name], names, root) for name in PATHS)
    objects = _restored_objects(columns["objects"], floats, whole)
    rows = zip(names, images, masks, instances, objects, columns["annotation"], *repeated, strict=True)
    for name, image, mask, instance, own, annotation, labels, size, unit, split, group in rows:
        yield Record(image, name, labels, own, mask, instance, size, unit, split, group, annotation)


def _coded(values: Iterable[Any]) -> Content:
    """Values of which many are equal: each once, and their places."""
    places: dict[Any, int] = {}
    at = [places.setdefault(value, len(places)) for value in values]
    return {"of": list(places), "at": at}


def _decoded(coded: Content) -> Iterator[Any]:
    values = [tuple(value) if isinstance(value, list) else value for value in coded["of"]]
    return (values[place] for place in coded["at"])


def _paths(paths: Sequence[Path | None], names: Sequence[str], root: Path) -> list[str | None] | str:
    """Paths as texts, those below the root by their names; "names" where all are as the records' names say."""
    if all(path is None for path in paths):
        return "none"
    if all(path == root / name for path, name in zip(paths, names, strict=True)):
        return "names"
    return [None if path is None else path.relative_to(root).as_posix() if path.is_relative_to(root)
            else f"{ELSEWHERE}{path}" for path in paths]  # fmt: skip


def _restored(paths: list[str | None] | str, names: Sequence[str], root: Path) -> Iterator[Path | None]:
    if paths == "none":
        return (None for _ in names)
    return (None if path is None else Path(path[1:]) if path[:1] == ELSEWHERE else root / path
            for path in (names if paths == "names" else paths))  # fmt: skip


def _objects(records: Sequence[Record], floats: "array[float]", whole: "array[int]") -> Content:
    """All objects, one field a list; numbers are added to ``floats`` and ``whole``."""
    every = [found for record in records for found in record.objects or ()]
    for found in every:
        floats.extend(found.box)
    return {
        "count": [-1 if record.objects is None else len(record.objects) for record in records],
        "label": _coded(found.label for found in every),
        "flags": [found.crowd + 2 * found.difficult for found in every],
        "shape": [_coded_shape(found.shape, floats, whole) for found in every],
        "boxes": len(every),
    }


def _restored_objects(
    columns: Content, floats: memoryview, whole: memoryview
) -> Iterator[tuple[Object, ...] | None]:  # fmt: skip
    end = 32 * columns["boxes"]
    boxes = struct.iter_unpack("4d", floats[:end])
    numbers = _Numbers(floats[end:], whole)
    rows = zip(boxes, _decoded(columns["label"]), columns["flags"], columns["shape"], strict=True)
    objects = (Object(label, box, _restored_shape(shape, numbers) if shape else None, bool(flags & 1), flags > 1)
               for box, label, flags, shape in rows)  # fmt: skip
    return (None if count < 0 else tuple(islice(objects, count)) for count in columns["count"])


@dataclass
class _Numbers:
    """Numbers of 8 bytes that are taken one after the other."""

    floats: memoryview
    whole: memoryview
    place: int = 0
    whole_place: int = 0

    def take(self, count: int) -> "array[float]":
        self.place += 8 * count
        return array("d", bytes(self.floats[self.place - 8 * count : self.place]))

    def take_whole(self, count: int) -> "array[int]":
        self.whole_place += 8 * count
        taken = bytes(self.whole[self.whole_place - 8 * count : self.whole_place])
        return array("l", array("q", taken))


def _coded_shape(shape: Shape | None, floats: "array[float]", whole: "array[int]") -> Any:
    """An outline's kind and sizes; its numbers are added. Polygons are arrays (COCO) or tuples (the others)."""
    if shape is None:
        return 0
    if isinstance(shape, dict) and shape.keys() == {"size", "counts"}:
        counts = shape["counts"]
        if isinstance(counts, str):
            return ["text", *shape["size"], counts]
        whole.extend(array("q", counts))
        return ["runs", *shape["size"], len(counts)]
    if not isinstance(shape, tuple) or {type(polygon) for polygon in shape} not in ({array}, {tuple}):
        raise OddListingError(f"an outline of {type(shape).__name__}")
    for polygon in shape:
        floats.extend(polygon)
    return ["arrays" if isinstance(shape[0], array) else "tuples", *map(len, shape)]


def _restored_shape(coded: list[Any], numbers: _Numbers) -> Shape:
    kind, *rest = coded
    if kind == "text":
        return {"size": (rest[0], rest[1]), "counts": rest[2]}
    if kind == "runs":
        return {"size": (rest[0], rest[1]), "counts": numbers.take_whole(rest[2])}
    as_kind: Callable[[array[float]], Sequence[float]] = (lambda polygon: polygon) if kind == "arrays" else tuple
    return tuple(as_kind(numbers.take(count)) for count in rest)


def _mask_values(found: Content) -> MaskValues:
    pairs = {name: tuple(map(tuple, found[name])) for name in ("values", "colors")}
    return MaskValues(
        tuple(found["classes"]), void=frozenset(found["void"]),
        void_colors=frozenset(map(tuple, found["void_colors"])), **pairs,
    )  # fmt: skip
