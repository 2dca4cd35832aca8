"""``splits.csv``: which photo was in which split of a run, so that photos that are added later change no run."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from vggexp.errors import DataError
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Record
from vggexp.sample.record.splits import SPLITS

NAME = "splits.csv"


def splits_text(splits: Mapping[str, str]) -> str:
    """The file's text: a photo's path below the root and its split a row, by path."""
    return table_text(("photo", "split"), sorted(splits.items()))


def table_text(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as CSV, in which no cell is a formula to a spreadsheet: an apostrophe marks such texts."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([names, *([_as_text(cell) for cell in row] for row in rows)])
    return text.getvalue()


def _as_text(cell: str) -> str:
    """The cell, marked with an apostrophe where a spreadsheet would calculate it (or has one already).

    >>> _as_text("=1+1.png"), _as_text("a/b.png")
    ("'=1+1.png", 'a/b.png')
    """
    return f"'{cell}" if re.match("[=+@\t\r'-]", cell) else cell


def _as_it_was(cell: str) -> str:
    """A cell without the mark of ``_as_text``; earlier versions wrote none.

    >>> _as_it_was("'=1+1.png"), _as_it_was("-a.png")
    ('=1+1.png', '-a.png')
    """
    return cell[1:] if re.match("'[=+@\t\r'-]", cell) else cell


def read_splits(path: str, records: Sequence[Record]) -> tuple[dict[str, str], list[Problem]]:
    """The splits in a file for these photos, and the photos that only one of the two has.

    Raises:
        DataError: the file is missing, or is no table of photos and splits.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(Path(path).read_text(encoding="utf-8-sig"))))
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"data.split={path} cannot be read ({error}); give the splits.csv of a run folder") from error
    listed: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        if row.get("photo") is None or row.get("split") not in SPLITS:
            raise DataError(f"{path}:{number} is no row of 'photo,split' with a split of {', '.join(SPLITS)}")
        listed[_as_it_was(row["photo"])] = row["split"]
    present = {record.name for record in records}
    new = [Problem("warning", "photo that data.split does not name: left out", name)
           for name in sorted(present - listed.keys())]  # fmt: skip
    gone = [Problem("warning", "photo that data.split names, but that is gone", name)
            for name in sorted(listed.keys() - present)]  # fmt: skip
    return {name: split for name, split in listed.items() if name in present}, new + gone
