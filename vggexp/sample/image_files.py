"""Finds the image files that a user's arguments mean, and gives each a unique name for the output.

It reads names, never images, and imports no torch, so a missing folder is reported at once.
"""

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path

from vggexp.errors import DataError
from vggexp.sample.announce import announced, is_kernels

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".jp2", ".j2k",
     ".jpx", ".ppm", ".pgm", ".pbm", ".pnm", ".tga"}
)  # fmt: skip
"""Endings of images that Pillow reads in every build; AVIF it reads in some."""
AVIF = ".avif"
UNREADABLE = frozenset(
    {".heic", ".heif", ".jxl", ".svg", ".psd", ".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"}
)
"""Endings of photo formats that vggexp cannot read."""
_ENDINGS = SUFFIXES | UNREADABLE | {AVIF}
HIDDEN = ("__MACOSX", "@eaDir")
"""Folders that archives and operating systems leave behind; folders whose name begins with a dot are hidden, too."""


@dataclass(frozen=True)
class ImageFile:
    """One image file."""

    path: Path
    """As the user's argument leads to it."""
    name: str
    """Its own among all: its path below the folder that was named, without the ending; numbered where two are alike."""


def find_images(
    words: str | Sequence[str], leave_out: Path | None = None, unreadable: list[str] | None = None
) -> list[ImageFile]:
    """The files that the arguments mean, each once, in the order of the arguments and by name within a folder.

    A file that is named explicitly is taken whatever its ending. From a folder and all folders below it, linked ones
    too, files with an image's ending are taken, except hidden files and folders.

    Args:
        words: files, folders, or patterns as ``glob`` takes them.
        leave_out: a folder whose files are ignored, such as the output folder.
        unreadable: receives the photos that are left out, each with the reason.

    Raises:
        DataError: an argument means no image.
    """
    hidden = leave_out.absolute() if leave_out else None
    found: dict[Path, tuple[Path, Path]] = {}
    for word in [words] if isinstance(words, str) else words:
        with announced(f"looking for images in {word}"):
            meant = list(_meant(str(word), [] if unreadable is None else unreadable))
        for path, called in meant:
            place = path.absolute()
            if hidden is None or not place.is_relative_to(hidden):
                found.setdefault(place, (path, called))
    if not found:
        raise DataError(f"no image to take: all lie in {leave_out}, which is written to")
    return list(_named(found.values()))


def _meant(word: str, unreadable: list[str]) -> Iterator[tuple[Path, Path]]:
    """Each file with its path below the folder that the word names."""
    if not word.strip():
        raise DataError("an empty word names no image; give an image, a folder of images, or a pattern")
    path = Path(word)
    if not path.exists():
        with suppress(RuntimeError):  # "~x" where there is no user x
            path = path.expanduser()
    if path.is_file():
        yield path, Path(path.name)
        return
    if not path.is_dir() and not glob.has_magic(word):
        what = f"{word} is a broken link" if path.is_symlink() else f"there is no {word}"
        raise DataError(f"{what}; give an image, a folder of images, or a pattern such as 'photos/*.jpg'")
    root = Path(*takewhile(lambda part: not glob.has_magic(part), path.parts)) if not path.is_dir() else path
    if is_kernels(os.path.realpath(root)):
        raise DataError(f"{word} is a folder of the system's own, without images; give a folder of images")
    found = images_below(path, unreadable) if path.is_dir() else _matching(str(path), unreadable)
    if not found:
        left_out = f"; left out: {', '.join(unreadable[:3])}" if unreadable else ""
        endings = ", ".join(sorted(SUFFIXES))
        raise DataError(f"{word} holds no image ({endings}){left_out}; give an image or a folder of images")
    for file in found:
        yield file, file.relative_to(root)


def images_below(folder: Path, unreadable: list[str]) -> list[Path]:
    """The images in a folder and below it. Links to folders are followed, each folder is entered once.

    The kernel's own folders are left out.
    """
    found: list[tuple[tuple[str, ...], str]] = []
    entered: set[str] = set()
    waiting: list[tuple[tuple[str, ...], str]] = [((), str(folder))]
    while waiting:
        parts, place = waiting.pop()
        if (real := os.path.realpath(place)) in entered or is_kernels(real):
            continue
        entered.add(real)
        folders = []
        for entry in _entries(place):
            if is_hidden(entry.name):
                continue
            if _holds(entry.is_dir):
                folders.append(((*parts, entry.name), entry.path))
            elif _is_readable(entry, unreadable):
                found.append(((*parts, entry.name), entry.path))
        waiting += reversed(folders)
    return [Path(path) for _, path in sorted(found)]  # as paths sort, part by part, which takes them seconds


def _entries(place: str) -> list[os.DirEntry[str]]:
    """The entries of a folder, by name; none if it cannot be read."""
    try:
        with os.scandir(place) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name was left behind by a system, such as ``.ipynb_checkpoints``."""
    return name.startswith(".") or name in HIDDEN


def _is_readable(file: Path | os.DirEntry[str], unreadable: list[str]) -> bool:
    """Whether a file is an image of a readable format; a photo of another format is recorded with the reason."""
    suffix = _suffix(file.name)
    if suffix not in _ENDINGS:
        return False
    if not _holds(file.is_file):
        if not os.path.exists(file):  # noqa: PTH110  an entry of a folder has no ``exists``
            unreadable.append(f"{Path(file)} (a broken link)")
        return False
    if suffix in UNREADABLE or (suffix == AVIF and not _reads_avif()):
        unreadable.append(f"{Path(file)} (no decoder for {suffix}; convert it to JPEG or PNG)")
        return False
    return True


def _holds(question: Callable[[], bool]) -> bool:
    """The answer of a path's method; False for links in a circle."""
    try:
        return question()
    except OSError:
        return False


def _suffix(name: str) -> str:
    """A file's ending in lower case, as ``Path.suffix`` has it, at a tenth of its time.

    >>> _suffix("a.b.JPG"), _suffix(".jpg"), _suffix("a.")
    ('.jpg', '', '')
    """
    dot = name.rfind(".")
    return name[dot:].lower() if 0 < dot < len(name) - 1 else ""


@cache
def _reads_avif() -> bool:
    from PIL import features

    return "avif" in features.modules and bool(features.check("avif"))


def _matching(pattern: str, unreadable: list[str]) -> list[Path]:
    """The images that a pattern matches, and all images in folders that it matches, as if the shell had expanded it."""
    matches = [Path(match) for match in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207
    found = [
        images_below(match, unreadable) if match.is_dir() else [match] * _is_readable(match, unreadable)
        for match in matches
    ]
    return [file for files in found for file in files]


def _named(pairs: Iterable[tuple[Path, Path]]) -> Iterator[ImageFile]:
    """Names that remain distinct on file systems that ignore upper and lower case."""
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
