"""Locks between processes, on an open file or folder: gone with the handle, or with the process, however that ends.

The one place that asks the operating system: Unix locks by ``fcntl``, Windows by ``msvcrt``. Windows is untried.
"""

import os
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any


def _if_there(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        return None


_fcntl: Any = _if_there("fcntl")
_msvcrt: Any = _if_there("msvcrt")

_BEYOND = 2**30
"""Windows lets nobody else read a byte that is locked, so it is one that no file here reaches."""


def lock(handle: int, shared: bool = False) -> bool | None:
    """Lock a file or folder without waiting, by its open handle.

    Args:
        shared: others may hold a shared lock too; Windows has none, and takes its own for that moment.

    Returns:
        True: this process holds it now. False: another one does. None: there are no locks on this file system.
    """
    try:
        if _fcntl is not None:
            _fcntl.flock(handle, (_fcntl.LOCK_SH if shared else _fcntl.LOCK_EX) | _fcntl.LOCK_NB)
        elif _msvcrt is not None:
            return _lock_on_windows(handle)
        else:
            return None
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _lock_on_windows(handle: int) -> bool:
    place = os.lseek(handle, 0, os.SEEK_CUR)
    os.lseek(handle, _BEYOND, os.SEEK_SET)
    try:
        _msvcrt.locking(handle, _msvcrt.LK_NBLCK, 1)
    except PermissionError:
        return False
    finally:
        os.lseek(handle, place, os.SEEK_SET)
    return True


def open_folder(path: Path) -> int:
    """A handle by which a folder is locked; Windows opens no folder, and gets a file in it."""
    if os.name == "nt":
        return os.open(path / ".lock", os.O_RDWR | os.O_CREAT)
    return os.open(path, os.O_RDONLY)
