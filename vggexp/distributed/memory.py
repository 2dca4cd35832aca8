"""Keeps freed memory for the next step instead of returning it to the operating system.

By default glibc maps each large block anew, and the kernel zeroes every page at the first access. A training step on
the CPU allocates the same gigabyte of activations and gradients each time, so it spends much time zeroing pages.
"""

import ctypes
import gc
import sys

_MMAP_MAX, _TRIM_THRESHOLD = -4, -1
"""Parameters of glibc's mallopt(3): how many blocks may be mapped, and how much free memory the heap's end may keep."""


def keep_freed_memory() -> bool:
    """Let this process keep the memory that it frees from now on; return whether that was possible.

    It changes no result. Peak memory may rise through fragmentation. Does nothing where the C library is not glibc.
    """
    library = _glibc()
    return library is not None and bool(library.mallopt(_MMAP_MAX, 0) and library.mallopt(_TRIM_THRESHOLD, 2**31 - 1))


def give_back_freed_memory() -> None:
    """Return all free pages to the system between two phases, whose block sizes differ."""
    gc.collect()  # a finished training is a reference cycle of network, gradients and optimizer state
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
