"""Lists that divide photos: ``train.txt``, ``val.txt``, ``test.txt`` with a photo's name a line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vggexp.errors import DataError
from vggexp.sample.layout.folders import NAMES
from vggexp.sample.layout.photo_index import PhotoIndex
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Record

PLACES = ("", "ImageSets/Segmentation", "ImageSets", "splits", "lists")
"""Folders below the root where the lists may stand."""


def split_lists(root: Path) -> dict[str, Path]:
    """By split, its list; of the first folder that has one."""
    for place in map(root.joinpath, PLACES):
        files = sorted(place.glob("*.txt")) if place.is_dir() else []
        if found := {NAMES[file.stem.lower()]: file for file in files if file.stem.lower() in NAMES}:
            return found
    return {}


def listed(file: Path, root: Path, index: PhotoIndex, problems: list[Problem]) -> Iterator[str]:
    """The photos that a list names, each line one: a name, or as SegNet's lists have it a photo and its mask.

    Lines that name no photo, or several, are added to the problems.
    """
    base = file.parent.relative_to(root).as_posix().removeprefix(".")
    for number, line in enumerate(text_of(file).splitlines(), 1):
        name = line.strip()
        if not name or name.startswith("#"):
            continue
        found = index.find(name, base) or index.find(name.split()[0], base)
        if len(found) == 1:
            yield found[0]
        else:
            what = "line of a list that fits several photos" if found else "line of a list that names no photo"
            where = f"{file.relative_to(root).as_posix()}:{number} ({name})"
            problems.append(Problem("warning", f"{what}: left out", where))


def with_listed_splits(
    records: Sequence[Record], lists: Mapping[str, Path], root: Path, problems: list[Problem]
) -> tuple[Record, ...]:
    """The records with the splits of the lists. Of a split that has a list, photos that it lacks are in no split."""
    index, split_of = PhotoIndex(record.name for record in records), dict[str, str]()
    for split, file in lists.items():
        for name in listed(file, root, index, problems):
            other = split_of.setdefault(name, split)
            if other != split:
                both = f"{lists[other].name} and {file.name}"
                problems.append(Problem("error", f"photo in {both}", name, "take it out of one of them"))
    kept = [split_of.get(each.name, None if each.split in lists else each.split) for each in records]
    return tuple(replace(record, split=split) for record, split in zip(records, kept, strict=True))


def text_of(file: Path) -> str:
    """A text file, with or without a byte order mark.

    Raises:
        FileNotFoundError: it is not there.
        DataError: it cannot be read, or is no UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror}); check its permissions") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
