"""What layouts have in common: folders named after splits, hidden folders, photos' names below the root."""

import os
from collections.abc import Iterator
from pathlib import Path

from vggexp.sample.image_files import images_below, is_hidden
from vggexp.sample.record.problem import Problem

NAMES = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test",
    "testing": "test",
}  # fmt: skip
"""Names of folders and lists, in lower case, and the splits that they mean."""


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, by name, without hidden ones."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not is_hidden(path.name))


def split_folders(folder: Path) -> dict[str | None, Path]:
    """By split, the folder in ``folder`` that is named after it."""
    return {NAMES[path.name.lower()]: path for path in folders_in(folder) if path.name.lower() in NAMES}


def name_of(image: Path, root: Path) -> str:
    """A photo's path below the root, with "/".

    >>> name_of(Path("photos/cat/1.jpg"), Path("photos")), name_of(Path("1.jpg"), Path())
    ('cat/1.jpg', '1.jpg')

    Raises:
        ValueError: it is not below the root.
    """
    whole, start = str(image), f"{root}{os.sep}"
    if whole.startswith(start):  # ``relative_to`` takes a second for 100,000 photos
        return whole[len(start) :].replace(os.sep, "/")
    return image.relative_to(root).as_posix()


def photos_below(folder: Path, root: Path, problems: list[Problem]) -> Iterator[Path]:
    """The photos in a folder and below it, by name; files that cannot be read are added to the problems."""
    unreadable: list[str] = []
    yield from images_below(folder, unreadable)
    for line in unreadable:
        path, _, reason = line.rpartition(" (")
        where = name_of(Path(path), root)
        problems.append(Problem("warning", f"photo that cannot be read ({reason}: left out", where))
