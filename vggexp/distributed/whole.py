"""Files that are there whole or not at all: written under a temporary name beside their place, then renamed.

A writer that is killed leaves its temporary file; whoever claims the folder next removes it.
"""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vggexp.errors import DataError

_OURS = re.compile(r"\.[\w=.-]+\.(ckpt|csv|json|jsonl|yaml)\.\d+")
_FOLDERS = ("", "checkpoint", "prediction")
"""Where in a run folder files are written."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary path to write to, which takes the place of ``path`` when the context ends well, else vanishes."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def remove_left(folder: Path) -> None:
    """Remove the temporary files of writers that were killed. Only for whoever holds the folder's claim."""
    for place in _FOLDERS:
        for path in (folder / place).glob(".*"):
            if _OURS.fullmatch(path.name):
                path.unlink(missing_ok=True)


def full_disk(path: Path, size: int | None = None) -> DataError:
    """The error of a file that a full disk does not take.

    Args:
        size: bytes that the file needs, as far as known.
    """
    wants = "" if size is None else f" for about {size / 2**20:,.0f} MiB"
    free = ""
    with suppress(OSError):
        free = f" ({free_bytes(path) / 2**20:,.0f} MiB are free)"
    return DataError(
        f"{path} cannot be written: no space is left on its disk{wants}{free}; what was written before is kept. "
        "Free some space, then: python -m vggexp resume RUN"
    )


def free_bytes(path: Path) -> int:
    """Bytes that this user may still write on the disk of a path, which need not exist."""
    place = path.absolute()
    while not place.exists():
        place = place.parent
    if not hasattr(os, "statvfs"):  # Windows
        import shutil

        return shutil.disk_usage(place).free
    disk = os.statvfs(place)
    return disk.f_bavail * disk.f_frsize


def disk_error(error: OSError) -> DataError | None:
    """What a file that cannot be read or written means, in one line; None for errors of another kind."""
    path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
    if error.errno in _FULL:
        return full_disk(path) if path else DataError("no space is left on the disk that the command writes to")
    why = {
        errno.EROFS: "its disk is read-only",
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.EIO: "its disk reports an error",
        errno.ESTALE: "its network disk is gone",
        errno.EISDIR: "it is a folder",
        errno.EEXIST: "a file of this name is there",
        errno.ENOTDIR: "a part of its path is a file",
        errno.ENAMETOOLONG: "its name is too long",
        errno.ELOOP: "its links lead in a circle",
    }.get(error.errno or 0)
    return DataError(f"{path or 'a file'} cannot be read or written: {why}") if why else None


def check_writable(key: str, path: Path) -> None:
    """DataError if it shows without writing that a folder of this path could not be made and written to."""
    place = path.absolute()
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        raise DataError(f"{key}={path}: {place} is a file; name a folder that does not exist yet, or another one")
    if not os.access(place, os.W_OK | os.X_OK) or str(place.resolve()).startswith(("/proc", "/sys")):
        raise DataError(f"{key}={path}: {place} cannot be written to (read-only, or another user's); choose another")
