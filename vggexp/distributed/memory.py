"""Memory: what is free, what was used at most, and keeping what was freed for the next step.

By default glibc maps each large block anew, and the kernel zeroes every page at the first access. A training step on
the CPU allocates the same gigabyte of activations and gradients each time, so it spends much time zeroing pages.
"""

import atexit
import ctypes
import gc
import math
import os
import sys
from contextlib import suppress
from pathlib import Path

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


def keep_out_of_collections() -> None:
    """Leave what lives now, mostly modules, out of later searches for garbage: each took a quarter of a second.

    A sweep searches before every run. Python takes it in again at its end, or libraries report objects as leaked.
    """
    gc.freeze()
    atexit.register(gc.unfreeze)


def free_memory(on_gpu: bool) -> int:
    """Bytes that this process may still take: of its GPU, else its part of the machine's or the container's memory.

    Raises:
        OSError: the system does not tell (only Linux does).
    """
    if on_gpu:
        import torch

        torch.cuda.empty_cache()  # what an earlier run of this process left
        return int(torch.cuda.mem_get_info(int(os.environ.get("LOCAL_RANK", 0)))[0])
    return free_ram() // int(os.environ.get("LOCAL_WORLD_SIZE", 1))


def free_ram(meminfo: Path = Path("/proc/meminfo"), group: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes that the machine has left, or its container (cgroup v2) if that has less."""
    available = int(meminfo.read_text().partition("MemAvailable:")[2].split()[0]) * 1024
    with suppress(OSError, ValueError):  # there is no container, or its limit is "max"
        limit = int((group / "memory.max").read_text())
        held = int((group / "memory.current").read_text())
        files = (group / "memory.stat").read_text().partition("inactive_file ")[2].split()
        available = min(available, limit - held + int(files[0] if files else 0))
    return max(available, 0)


def free_shared(place: str = "/dev/shm") -> int:
    """Bytes of shared memory that are free, by which loading processes hand over batches; 0 if there is none."""
    with suppress(OSError, AttributeError):
        found = os.statvfs(place)
        return found.f_bavail * found.f_frsize
    return 0


def resident_bytes() -> int:
    """Bytes of memory that this process holds; 0 where the system does not tell."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def reset_peak_memory() -> None:
    """Reset the peak, because jobs of a sweep may share a process. Process memory can be reset on Linux only."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_mib() -> float:
    """The most memory held so far: allocated on the GPU if one was used, else resident in the process.

    NaN on Windows; on a Mac the process's, whatever the GPU allocated.
    """
    import torch

    if torch.cuda.is_available() and (peak := torch.cuda.max_memory_allocated()):
        return peak / 2**20
    with suppress(OSError):
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return math.nan
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes on a Mac, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL(None)
        return library if library.mallopt and library.malloc_trim else None
    except (OSError, AttributeError):
        return None
