"""Which image files a user's words mean, and what each is called in what is written about it.

It reads names, never images, and imports no torch: a folder that is not there is told of at once.
"""

import glob
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from vggexp.errors import DataError

SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True)
class ImageFile:
    """One image file."""

    path: Path
    """As the user's words lead to it."""
    name: str
    """Its own among all: its path below the folder that was named, without the ending; numbered where two are alike."""


def find_images(words: str | Sequence[str], leave_out: Path | None = None) -> list[ImageFile]:
    """The files that the words mean, each once, in the words' order and by name within a folder.

    A file counts whatever it is called; in a folder, and in all folders below it, what has an image's ending and does
    not begin with a dot.

    Args:
        words: files, folders, patterns as ``glob`` knows them.
        leave_out: a folder whose files do not count, such as the one that is written to.

    Raises:
        DataError: a word means no image.
    """
    hidden = leave_out.absolute() if leave_out else None
    found: dict[Path, tuple[Path, Path]] = {}
    for word in [words] if isinstance(words, str) else words:
        for path, called in _meant(str(word)):
            place = path.absolute()
            if hidden is None or not place.is_relative_to(hidden):
                found.setdefault(place, (path, called))
    if not found:
        raise DataError(f"no image to take: all lie in {leave_out}, which is written to")
    return list(_named(found.values()))


def _meant(word: str) -> Iterator[tuple[Path, Path]]:
    """Each file with its path below the folder that the word names."""
    path = Path(word).expanduser()
    if path.is_file():
        yield path, Path(path.name)
        return
    if not path.is_dir() and not glob.has_magic(word):
        raise DataError(f"there is no {word}; give an image, a folder of images, or a pattern such as 'photos/*.jpg'")
    root = Path(*takewhile(lambda part: not glob.has_magic(part), path.parts)) if not path.is_dir() else path
    found = _below(path) if path.is_dir() else _matching(str(path))
    if not found:
        endings = ", ".join(sorted(SUFFIXES))
        raise DataError(f"{word} holds no image ({endings}); give an image or a folder of images")
    for file in found:
        yield file, file.relative_to(root)


def _below(folder: Path) -> list[Path]:
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
        and file.is_file()
    )


def _matching(pattern: str) -> list[Path]:
    """A pattern's images; of a folder that it matches, all images in it, as after a shell's own expansion."""
    matches = [Path(match) for match in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207
    found = [[match] if match.suffix.lower() in SUFFIXES and match.is_file() else _below(match) for match in matches]
    return [file for files in found for file in files]


def _named(pairs: Iterable[tuple[Path, Path]]) -> Iterator[ImageFile]:
    """Names that stay apart where capitals do not count, as on some file systems."""
    numbers: dict[str, int] = {}
    taken: set[str] = set()
    for path, called in pairs:
        stem = called.with_suffix("").as_posix()
        number = numbers.get(stem.lower(), 0) + 1
        while (name := stem if number == 1 else f"{stem}-{number}").lower() in taken:
            number += 1
        numbers[stem.lower()] = number
        taken.add(name.lower())
        yield ImageFile(path, name)
