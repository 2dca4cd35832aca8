"""One writer a folder: whoever writes a run folder claims it first, and keeps it to the end.

The claim is a lock on the folder itself, which the system releases when the process ends for any reason. The file
``.writer`` in it tells others which process of which host holds it.
"""

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vggexp.distributed.lock import lock, open_folder
from vggexp.distributed.processes import adopt_slurm, place_in_run
from vggexp.distributed.whole import check_writable, remove_left
from vggexp.errors import ConfigError

_held: dict[Path, int] = {}
"""The lock's handle, by folder. A sweep claims the folder of its job, which claims it too."""


class TakenError(ConfigError):
    """Another process writes the folder."""


@contextmanager
def claim(folder: Path, advice: str = "choose another run.dir") -> Iterator[None]:
    """Claim a folder, which is created if it is missing, while the context is open.

    Args:
        advice: what to do instead of waiting.

    Raises:
        TakenError: another process holds it; the message names that process and its host.
    """
    adopt_slurm()
    if place_in_run()[0] > 0:  # of the processes that torchrun or srun started, the first writes the folder
        yield
        return
    with claimed(folder) as is_ours:
        if not is_ours:
            raise TakenError(f"{folder} is being written by {_writer(folder)}; wait until that has ended, or {advice}")
        yield


@contextmanager
def claimed(folder: Path) -> Iterator[bool]:
    """As ``claim``, but yields whether the folder could be claimed. Where there are no locks, everyone gets True."""
    place = folder.resolve()
    if place in _held:
        yield True
        return
    is_new = not place.exists()
    check_writable("folder", folder)
    place.mkdir(parents=True, exist_ok=True)
    handle, is_ours = _lock(place)
    if is_ours:
        _held[place] = handle
        remove_left(place)
        (place / ".writer").write_text(json.dumps({"process": os.getpid(), "host": platform.node()}) + "\n")
    try:
        yield is_ours
    finally:
        if is_ours:
            _held.pop(place, None)
            (place / ".writer").unlink(missing_ok=True)
        os.close(handle)
        with suppress(OSError):
            if is_ours and is_new:
                place.rmdir()  # if nothing was written


def _lock(folder: Path) -> tuple[int, bool]:
    """A handle on the folder, and whether it is locked for this process."""
    handle = open_folder(folder)
    if (locked := lock(handle)) is None:  # NFS locks only files that are open for writing
        os.close(handle)
        handle = os.open(folder / ".claim", os.O_RDWR | os.O_CREAT)
        locked = lock(handle)
    return handle, locked is not False


def _writer(folder: Path) -> str:
    """Who holds a folder that is claimed, in words."""
    try:
        said = json.loads((folder / ".writer").read_text(encoding="utf-8"))
        return f"process {said['process']} on {said['host']}"
    except (OSError, ValueError, KeyError, TypeError):  # it has just begun, or has just ended
        return "another process"


def _leave_to_parent() -> None:
    """A forked process, such as one that loads data, must not keep the lock of a parent that was killed."""
    for handle in _held.values():
        with suppress(OSError):
            os.close(handle)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
