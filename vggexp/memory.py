"""Freed memory is kept for the next step instead of being given back to the system.

glibc maps each large block anew, and the kernel clears every page of it when it is first touched. A training step on
the CPU asks for the same gigabyte of activations and gradients again and again, so a good part of it is clearing pages.
"""

import ctypes
import sys

_MMAP_MAX, _TRIM_THRESHOLD = -4, -1
"""glibc's mallopt(3): how many blocks may be mapped, and how much free memory at the heap's end is kept."""


def keep_freed_memory(keep: bool = True) -> bool:
    """Let this process keep what it frees, or (false) behave as by default; whether that was possible.

    It changes no result. The peak may rise, because blocks of many sizes no longer fit each other's holes exactly.
    Only glibc can: elsewhere nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    limits = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1} if keep else {_MMAP_MAX: 65536, _TRIM_THRESHOLD: 128 * 1024}
    return all(mallopt(name, value) == 1 for name, value in limits.items())
