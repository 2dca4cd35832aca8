"""Freed memory is kept for the next step instead of being given back to the system.

glibc maps each large block anew, and the kernel clears every page of it when it is first touched. A training step on
the CPU asks for the same gigabyte of activations and gradients again and again, so a good part of it is clearing pages.
"""

import ctypes
import sys

_MMAP_MAX, _TRIM_THRESHOLD = -4, -1
"""glibc's mallopt(3): how many blocks may be mapped, and how much free memory at the heap's end is kept."""


def keep_freed_memory() -> bool:
    """Let this process keep what it frees, from now on; whether that was possible.

    It changes no result. The peak may rise, because blocks of many sizes do not fit each other's holes exactly.
    Only glibc can: elsewhere nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_MMAP_MAX, 0) and mallopt(_TRIM_THRESHOLD, 2**31 - 1))
