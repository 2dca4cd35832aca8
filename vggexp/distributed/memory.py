"""Freed memory is kept for the next step instead of being given back to the system.

glibc maps each large block anew, and the kernel clears every page of it when it is first touched. A training step on
the CPU asks for the same gigabyte of activations and gradients again and again, so a good part of it is clearing pages.
"""

import ctypes
import gc
import sys

_MMAP_MAX, _TRIM_THRESHOLD = -4, -1
"""glibc's mallopt(3): how many blocks may be mapped, and how much free memory at the heap's end is kept."""


def keep_freed_memory() -> bool:
    """Let this process keep what it frees, from now on; whether that was possible.

    It changes no result. The peak may rise, because blocks of many sizes do not fit each other's holes exactly. Only
    glibc can: elsewhere nothing happens.
    """
    library = _glibc()
    return library is not None and bool(library.mallopt(_MMAP_MAX, 0) and library.mallopt(_TRIM_THRESHOLD, 2**31 - 1))


def give_back_freed_memory() -> None:
    """Give all free pages back once, between two phases: what one has freed does not fit the next one's blocks."""
    gc.collect()  # a finished training hangs in a cycle: network, gradients and moments
    if (library := _glibc()) is not None:
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL(None)
        return library if library.mallopt and library.malloc_trim else None
    except (OSError, AttributeError):
        return None
