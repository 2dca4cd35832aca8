"""Turns the rows of a table into photos with labels and boxes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Literal

from vggexp.errors import DataError
from vggexp.sample.layout.folders import NAMES
from vggexp.sample.layout.photo_index import PhotoIndex, is_elsewhere
from vggexp.sample.layout.table_file import Table
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Edges, Object, Record, Size

SIDES = ("x", "y", "w", "h")
ONE_CLASS = "object"
"""The class of boxes in a table that names no classes."""
Box = Literal["xywh", "xyxy"]
Unit = Literal["pixels", "share"]


@dataclass
class _Photo:
    """The combined content of the rows of one photo."""

    lines: list[int] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    objects: list[Object] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)
    """Its split and its group."""
    size: Size | None = None


def records_of(
    table: Table, root: Path, index: PhotoIndex, box: Box | None, unit: Unit | None, group: str, problems: list[Problem]
) -> Iterator[Record]:
    """A record for each photo that the table names, in the table's order; odd rows are added to the problems.

    Args:
        box: None: as the columns' names say.
        unit: None: shares if no number of a box is over 1.
        group: the column of groups.

    Raises:
        DataError: rows contradict each other about one photo.
    """
    has_boxes = all(side in table.columns for side in SIDES)
    is_edges = box == "xyxy" if box else table.is_edges
    base = table.path.parent.relative_to(root).as_posix().removeprefix(".")
    photos: dict[str, _Photo] = defaultdict(_Photo)
    for line, cells in table.rows:
        row = _Row(table, line, cells)
        if (name := _photo(row, index, base, problems)) is None or _is_denied(row, problems):
            continue
        photo = photos[name]
        photo.lines.append(line)
        photo.size = photo.size or _size(row)
        _say(photo, "split", _split(row), row)
        _say(photo, "group", row.get(group), row)
        _add(photo, row, has_boxes, is_edges, problems)
    shares = unit == "share" if unit else _are_shares(photos, table, problems)
    for name, photo in photos.items():
        yield Record(
            root / name, name, tuple(dict.fromkeys(photo.labels)), tuple(photo.objects) if has_boxes else None,
            size=photo.size, unit="share" if shares else "pixel", split=photo.said.get("split", table.split),
            group=photo.said.get("group"), annotation=f"{table.name}:{_span(photo.lines)}",
        )  # fmt: skip


@dataclass(frozen=True)
class _Row:
    table: Table
    line: int
    cells: Sequence[str]

    def get(self, key: str) -> str:
        """A cell; "" if there is no such column."""
        return self.cells[self.table.columns[key]].strip() if key in self.table.columns else ""

    @property
    def where(self) -> str:
        return f"{self.table.name}:{self.line}"


def _photo(row: _Row, index: PhotoIndex, base: str, problems: list[Problem]) -> str | None:
    """The photo of a row; None if there is none, or several."""
    text = row.get("file")
    found = index.find(text, base) if text else []
    if len(found) == 1:
        return found[0]
    what = "row whose file's name fits several photos: skipped" if found else "row whose photo is missing: skipped"
    if not text:
        what = "row without a file: skipped"
    elif not found and is_elsewhere(text.replace("\\", "/")):
        what = "row whose file is outside data.root: skipped"
    problems.append(Problem("warning", what, f"{row.where} ({text})" if text else row.where))
    return None


def _is_denied(row: _Row, problems: list[Problem]) -> bool:
    """Whether a row says that a photo does not show a class: a confidence of 0, as in OpenImages' labels."""
    denied = row.get("confidence") != "" and _number(row.get("confidence")) == 0
    if denied:
        problems.append(
            Problem("note", "row of confidence 0, which says that the class is not there: skipped", row.where)
        )
    return denied


def _split(row: _Row) -> str:
    word = row.get("split")
    if word and word.lower() not in NAMES:
        raise DataError(f"{row.where} has the split {word!r}; write train, val or test")
    return NAMES[word.lower()] if word else ""


def _size(row: _Row) -> Size | None:
    height, width = row.get("height"), row.get("width")
    is_sound = all(side.isdecimal() and len(side) < 10 for side in (height, width))
    return (int(height), int(width)) if is_sound else None


def _say(photo: _Photo, key: str, value: str, row: _Row) -> None:
    """Note a photo's split or group; DataError if another row says otherwise."""
    if value and photo.said.setdefault(key, value) != value:
        file = row.get("file")
        raise DataError(f"{row.where} puts {file} into the {key} {value}, an earlier row into {photo.said[key]}")


def _add(photo: _Photo, row: _Row, has_boxes: bool, is_edges: bool, problems: list[Problem]) -> None:
    """Add a row's label, or its object."""
    label, sides = row.get("label"), [row.get(side) for side in SIDES] if has_boxes else []
    if not any(sides):
        photo.labels += [label] if label else []
        return
    x, y, w, h = map(_number, sides)
    if inf in (x, y, w, h):
        problems.append(Problem("warning", "row whose box is not four numbers: skipped", row.where))
    elif not label and "label" in row.table.columns:
        problems.append(Problem("warning", "row with a box and without a label: skipped", row.where))
    else:
        edges: Edges = (x, y, w, h) if is_edges else (x, y, x + w, y + h)
        photo.objects.append(Object(label or ONE_CLASS, edges, crowd=row.get("crowd").lower() in ("1", "true")))


def _number(text: str) -> float:
    """A number, with a decimal point or a comma; infinity for anything else.

    >>> _number("0,5"), _number("1.5"), _number("x")
    (0.5, 1.5, inf)
    """
    try:
        number = float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        return inf
    return number if abs(number) < inf else inf


def _are_shares(photos: Mapping[str, _Photo], table: Table, problems: list[Problem]) -> bool:
    """Whether no edge of any box is over 1; said in a note."""
    edges = [edge for photo in photos.values() for found in photo.objects for edge in found.box]
    shares = bool(edges) and max(edges) <= 1 + 1e-3
    if shares:
        problems.append(Problem("note", "boxes of which no number is over 1: read as shares of the photo", table.name))
    return shares


def _span(lines: Sequence[int]) -> str:
    return str(lines[0]) if len(lines) == 1 else f"{lines[0]}-{lines[-1]}"
