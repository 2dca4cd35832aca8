"""YOLO's layout: ``data.yaml`` names classes and splits, and each photo has a text file with an object a line."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Unpack

from vggexp.errors import DataError
from vggexp.sample.layout.folders import name_of, photos_below, split_folders
from vggexp.sample.layout.photo_index import PhotoIndex
from vggexp.sample.layout.split_lists import listed, text_of
from vggexp.sample.layout.yolo_rows import label_file, objects_in
from vggexp.sample.layout.yolo_yaml import Described, described, description
from vggexp.sample.record.kept_listing import kept_listing
from vggexp.sample.record.photos import Photos, PhotoWords, folder
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Listing, Record

WRITTEN = "the centre's x and y, width, height in shares of the photo"
"""How YOLO writes boxes."""


def yolo(root: str, yaml: str | None = None, **words: Unpack[PhotoWords]) -> Photos:
    """Photos with boxes, or with outlines, in YOLO's text files.

    Args:
        root: the folder with data.yaml; or with classes.txt, images/ and labels/.
        yaml: the name of data.yaml below the root, if it is unusual.
        words: see ``Photos``.
    """
    return Photos(kept_listing(read, folder(root), yaml, index=words.pop("index_dir", None)), **words)


def recognize(root: Path) -> str | None:
    """What shows that a folder has this layout; None if nothing does."""
    try:
        file = description(root, None)
        names = described(file, root).names
    except DataError:
        return None
    if file.suffix == ".txt" and not (root / "labels").is_dir():
        return None  # other layouts have a classes.txt, too
    return f"{name_of(file, root)} names {len(names)} classes"


def read(root: Path, yaml: str | None = None) -> Listing:
    """List the photos and their objects. A photo whose label file is empty or missing shows no object.

    Raises:
        DataError: no data.yaml, or one that names no classes, or photos that are not there; no photo has a label file.
    """
    facts, problems = described(description(root, yaml), root), list[Problem]()
    split_of = _split_of_each(facts, root, problems)
    records = [_record(name, root, split, facts, problems) for name, split in split_of.items()]
    if records and not any(record.annotation for record in records):
        first = records[0].name
        raise DataError(f"{root}: no photo has a label file; that of {first} would be {label_file(first)}")
    ordered = sorted(records, key=lambda record: record.name)
    return Listing(tuple(ordered), tuple(facts.names.values()), problems=tuple(problems), boxes=WRITTEN)


def _record(name: str, root: Path, split: str | None, facts: Described, problems: list[Problem]) -> Record:
    where = label_file(name)
    try:
        text = text_of(root / where)
    except FileNotFoundError:
        problems.append(Problem("warning", "photo without a label file: taken to show no object", name))
        return Record(root / name, name, objects=(), unit="share", split=split)
    before = len(problems)
    objects = tuple(objects_in(text, where, facts, problems))
    if not objects and len(problems) == before:
        problems.append(Problem("note", "label file without an object: its photo shows none", where))
    return Record(root / name, name, objects=objects, unit="share", split=split, annotation=where)


def _split_of_each(facts: Described, root: Path, problems: list[Problem]) -> dict[str, str | None]:
    """The photos by name, each in the first split that has it."""
    found: dict[str, str | None] = {}
    places: Mapping[str | None, list[Path]] = facts.places or _usual_places(root)
    for split, names in ((split, _photos(where, root, problems)) for split, where in places.items()):
        for name in names:
            other = found.setdefault(name, split)
            if other != split:
                what = f"photo in the splits {other} and {split}: used for {other} alone"
                problems.append(Problem("warning", what, name))
    return found


def _usual_places(root: Path) -> dict[str | None, list[Path]]:
    """By split, the folders that photos lie in where no data.yaml tells."""
    images = root / "images" if (root / "images").is_dir() else root
    inner, outer = split_folders(images), split_folders(root)
    return {split: [place] for split, place in (inner or outer or {None: images}).items()}


def _photos(places: list[Path], root: Path, problems: list[Problem]) -> Iterator[str]:
    """The names of the photos in folders and lists."""
    index = None
    for place in places:
        if place.is_dir():
            yield from (name_of(photo, root) for photo in photos_below(place, root, problems))
        else:
            index = index or PhotoIndex(name_of(photo, root) for photo in photos_below(root, root, []))
            yield from listed(place, root, index, problems)
