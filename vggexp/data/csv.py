"""A table with a photo and its class a row, or an object and its box a row: comma, semicolon or tab between columns."""

from collections.abc import Mapping
from pathlib import Path
from typing import Unpack

from vggexp.errors import DataError, require_known
from vggexp.sample.layout.folders import name_of, photos_below
from vggexp.sample.layout.photo_index import PhotoIndex
from vggexp.sample.layout.table_file import read_table, tables_in
from vggexp.sample.layout.table_rows import Box, Unit, records_of
from vggexp.sample.record.kept_listing import kept_listing
from vggexp.sample.record.photos import Photos, PhotoWords, folder
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Listing, Record, names_in_order

WRITTEN = {
    "xywh": "left, top, width, height (data.box=xywh)",
    "xyxy": "left, top, right, bottom (data.box=xyxy)",
}  # fmt: skip
"""How boxes are written, by ``box``."""


def csv(
    root: str,
    table: str | None = None,
    columns: Mapping[str, str] | None = None,
    box: Box | None = None,
    unit: Unit | None = None,
    **words: Unpack[PhotoWords],
) -> Photos:
    """Photos that a table names.

    Args:
        root: the folder of the table and the photos.
        table: the table's name below the root, if there are several.
        columns: the table's names for file, label, x, y, w, h, split and group, where they are unusual.
        box: "xywh": left, top, width, height; "xyxy": the edges. None: as the columns' names say.
        unit: of boxes. None: shares if no number is over 1.
        words: see ``Photos``. ``group`` may be a column of the table.
    """
    index, group = words.pop("index_dir", None), words.get("group")
    listing = kept_listing(read, folder(root), table, columns, box, unit, group, index=index)
    if any(record.group is not None for record in listing.records):
        words["group"] = None
    return Photos(listing, **words)


def recognize(root: Path) -> str | None:
    """What shows that a folder has this layout; None if nothing does."""
    try:
        found = [read_table(path, root, split, {}, (), []) for path, split in tables_in(root, None)]
    except DataError:
        return None
    index = PhotoIndex(name_of(photo, root) for photo in photos_below(root, root, []))
    for table in found:
        known = {"label", "x"} & table.columns.keys()
        if known and any(index.find(cells[table.columns["file"]]) for _, cells in table.rows[:20]):
            return f"{table.name} names photos in {len(table.rows)} rows"
    return None


def read(
    root: Path,
    table: str | None = None,
    columns: Mapping[str, str] | None = None,
    box: Box | None = None,
    unit: Unit | None = None,
    group: str | None = None,
) -> Listing:
    """List the photos that a table names.

    Args:
        group: a column of groups; if the table has none of this name, it is no business of this reader's.

    Raises:
        ConfigError: a word that is not known.
        DataError: no table, or one that cannot be read.
    """
    for key, value, known in (("box", box, ("xywh", "xyxy")), ("unit", unit, ("pixels", "share"))):
        if value is not None:
            require_known(f"data.{key}", value, known)
    problems, records, written = list[Problem](), dict[str, Record](), ""
    photos = [name_of(photo, root) for photo in photos_below(root, root, problems)]
    index = PhotoIndex(photos)
    for path, split in tables_in(root, table):
        extra = [group] if group else []
        found = read_table(path, root, split, columns or {}, extra, problems)
        written = WRITTEN[box or ("xyxy" if found.is_edges else "xywh")]
        for record in records_of(found, root, index, box, unit, group or "group", problems):
            if (other := records.setdefault(record.name, record)) is not record:
                what = "photo in two tables: the second is left out"
                problems.append(Problem("warning", what, f"{record.annotation}, {other.annotation}"))
    problems += [Problem("warning", "photo that the table does not name: left out", name)
                 for name in photos if name not in records]  # fmt: skip
    in_order = tuple(records[name] for name in sorted(records))
    return Listing(in_order, _classes(records), problems=tuple(problems), boxes=written)


def _classes(records: Mapping[str, Record]) -> tuple[str, ...]:
    found = {name for record in records.values() for name in record.labels}
    return names_in_order(found | {each.label for record in records.values() for each in record.objects or ()})
