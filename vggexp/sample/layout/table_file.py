"""A table of photos: which file it is, its separator and its columns, under whatever names."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vggexp.errors import ConfigError, DataError, did_you_mean
from vggexp.sample.layout.folders import NAMES, name_of, split_folders
from vggexp.sample.record.problem import Problem

SEPARATORS = (",", ";", "\t", "|")
USUAL: Mapping[str, Sequence[str]] = {
    "file": ("file", "filename", "file_name", "filepath", "path", "image", "image_path", "img", "photo", "image_id",
             "imageid", "image_name", "name", "id"),
    "label": ("label", "class", "category", "labelname", "class_name", "label_name", "category_name", "species"),
    "x": ("xmin", "x1", "x_min", "left", "x", "bbox_x"),
    "y": ("ymin", "y1", "y_min", "top", "y", "bbox_y"),
    "w": ("xmax", "x2", "x_max", "right", "w", "width", "bbox_width", "bbox_w"),
    "h": ("ymax", "y2", "y_max", "bottom", "h", "height", "bbox_height", "bbox_h"),
    "split": ("split", "subset", "set", "partition"),
    "group": ("group", "group_id"),
    "crowd": ("isgroupof", "iscrowd"),
    "confidence": ("confidence",),
}  # fmt: skip
"""By what a column holds, its usual names, in lower case; the first that a table has counts."""
EDGES = frozenset({"xmax", "x2", "x_max", "right"})
"""Names under which the third number of a box is its right edge."""


@dataclass(frozen=True)
class Table:
    """A table's rows."""

    path: Path
    name: str
    """Its path below the root."""
    columns: Mapping[str, int]
    """By what it holds, a column's place."""
    rows: Sequence[tuple[int, Sequence[str]]]
    """Each with its line, from 1; as many cells as the header has."""
    is_edges: bool
    """Whether the columns of a box are named as its edges."""
    split: str | None
    """The split that the file or its folder is named after, if each split has its own."""


def tables_in(root: Path, named: str | None) -> list[tuple[Path, str | None]]:
    """The tables of a folder; with several, one for each split, and the split.

    Raises:
        DataError: there is none, or it cannot be told which.
    """
    if named is not None:
        if ".." in Path(named).parts or not (root / named).is_file():
            raise DataError(f"data.table={named} is no file of {root}; give its path below data.root")
        return [(root / named, None)]
    found = _tables(root)
    if len(found) == 1:
        return [(found[0], None)]
    by_split = {NAMES[path.stem.lower()]: path for path in found if path.stem.lower() in NAMES}
    if found and len(by_split) == len(found):
        return [(path, split) for split, path in by_split.items()]
    if found:
        names = ", ".join(path.name for path in found[:5])
        raise DataError(f"{root} has {len(found)} tables ({names}); name one with data.table={found[0].name}")
    inner = [(path, split) for split, place in split_folders(root).items() for path in _tables(place)]
    if not inner or len({split for _, split in inner}) < len(inner):
        raise DataError(f"{root} has no table (.csv, .tsv); name the file with data.table=")
    return inner


def _tables(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.suffix.lower() in (".csv", ".tsv") and path.is_file())


def read_table(
    path: Path, root: Path, split: str | None, named: Mapping[str, str], extra: Sequence[str], problems: list[Problem]
) -> Table:
    """Read a table whole.

    Args:
        split: see ``Table``.
        named: by what a column holds, its name in this table, where that is not a usual one.
        extra: columns to find under their own names.

    Raises:
        ConfigError: ``named`` has a key that means nothing.
        DataError: the file cannot be read, has no column of files or lacks a named one; a row has too many cells.
    """
    name, text = name_of(path, root), _text(path, root, problems)
    first = text.partition("\n")[0].strip()
    if not first:
        raise DataError(f"{path} has no header row; write one such as file,label above a row for each photo")
    separator = max(SEPARATORS, key=lambda each: len(_header(first, each)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        header = [cell.strip() for cell in next(reader)]
        columns = _columns(header, named, extra, path)
        rows = list(_rows(reader, len(header), name))
    except csv.Error as error:
        raise DataError(f"{name}:{reader.line_num} is no row of a table ({error}); correct it") from error
    is_edges = "w" in columns and header[columns["w"]].lower() in EDGES
    return Table(path, name, columns, rows, is_edges, split)


def _header(line: str, separator: str) -> list[str]:
    """Its cells; none where the line is no row with this separator."""
    try:
        return next(csv.reader([line], delimiter=separator))
    except csv.Error:
        return []


def _text(path: Path, root: Path, problems: list[Problem]) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        problems.append(Problem("note", "table that is not UTF-8: read as Latin-1", name_of(path, root)))
        return content.decode("latin-1")


def _columns(header: Sequence[str], named: Mapping[str, str], extra: Sequence[str], path: Path) -> dict[str, int]:
    for key in named:
        if key not in USUAL:
            raise ConfigError(f"data.columns has no {key!r}{did_you_mean(str(key), USUAL)}")
    places = {name: place for place, name in reversed(list(enumerate(header)))}
    lower = {name.lower(): place for name, place in places.items()}
    found = {name: places[name] for name in extra if name in places}
    for key, usual in USUAL.items():
        if key in named:
            if named[key] not in places:
                raise DataError(f"{path} has no column {named[key]!r}{did_you_mean(named[key], header)}")
            found[key] = places[named[key]]
        elif place := [lower[name] for name in usual if name in lower]:
            found[key] = place[0]
    found |= _size_columns(lower, found)
    if "file" not in found:
        listed = ", ".join(header[:12])
        advice = "name it with data.columns={file: NAME}, or write a header row if there is none"
        raise DataError(f"{path} has no column of files among [{listed}]; {advice}")
    return found


def _size_columns(lower: Mapping[str, int], found: Mapping[str, int]) -> dict[str, int]:
    """The columns of the photo's size: width and height, where the box has others."""
    size = {key: lower[key] for key in ("width", "height") if key in lower}
    return size if len(size) == 2 and not set(size.values()) & set(found.values()) else {}


def _rows(reader: Iterator[list[str]], width: int, name: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with something in them, short ones filled up."""
    for cells in reader:
        if len(cells) > width and any(cell.strip() for cell in cells[width:]):
            line = reader.line_num  # type: ignore[attr-defined]
            raise DataError(f"{name}:{line} has {len(cells)} cells, and the header {width}; put quotes around commas")
        if any(cell.strip() for cell in cells):
            yield reader.line_num, [*cells[:width], *[""] * (width - len(cells))]  # type: ignore[attr-defined]
