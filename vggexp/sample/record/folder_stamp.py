"""A stamp of a folder's files: if two stamps are equal, no file was added, removed, changed or touched in between."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from vggexp.sample.announce import announced, is_kernels

UNSETTLED = 2 * 10**9
"""Nanoseconds: the coarsest clock of a file system. A file younger than this may change again without it showing."""
LEFT_BEHIND = (".DS_Store", "Thumbs.db", "desktop.ini")
"""Files that file managers write when they show the folder; nothing reads them."""


@dataclass(frozen=True)
class Stamp:
    """The values that are compared."""

    digest: str
    is_settled: bool
    """Whether every later change will show; if not, the index must not be kept."""


def stamp(places: Sequence[Path]) -> Stamp:
    """The stamp of folders with all that is below them, and of single files: names, sizes and both times of each.

    The second time is that of the file's last change of any kind, which no program can set, so it reveals a file that
    was replaced by another of the same size and date.
    """
    with announced(f"looking through {', '.join(map(str, places))}"):
        return _stamp(places)


def _stamp(places: Sequence[Path]) -> Stamp:
    now, is_settled, digest = time.time_ns(), True, blake2b(digest_size=16)
    for place in places:
        digest.update(f"{place.absolute()}\n".encode(errors="surrogateescape"))
        for name, status in _below(str(place)):
            if status is None:
                digest.update(f"{name}\n".encode(errors="surrogateescape"))
                continue
            line = f"{name}\0{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}\n"
            digest.update(line.encode(errors="surrogateescape"))
            is_settled = is_settled and not abs(now - status.st_mtime_ns) < UNSETTLED
    return Stamp(digest.hexdigest(), is_settled)


def _below(place: str) -> Iterator[tuple[str, os.stat_result | None]]:
    """Every file with its state, and every folder by its name alone; links are followed, each folder entered once."""
    if not os.path.isdir(place):  # noqa: PTH112  twice as fast as with Paths, 100,000 times
        yield place, _state(place)
        return
    entered, waiting = set(), [place]
    while waiting:
        inside = waiting.pop()
        if (real := os.path.realpath(inside)) in entered or is_kernels(real):
            continue
        entered.add(real)
        yield f"{inside}{os.sep}", None
        try:
            with os.scandir(inside) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield f"{inside} cannot be read: {error.errno}", None
            continue
        for entry in found:
            if entry.name not in LEFT_BEHIND:
                if _is_folder(entry):
                    waiting.append(entry.path)
                else:
                    yield entry.path, _state(entry)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _state(file: str | os.DirEntry[str]) -> os.stat_result | None:
    """None for a broken link, or for what is not there."""
    try:
        return file.stat() if isinstance(file, os.DirEntry) else os.stat(file)  # noqa: PTH116
    except OSError:
        return None
