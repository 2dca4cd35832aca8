"""The processes of a run: how many to start, and the rank of this one.

Imports no torch, so the parent process, which only composes, checks and starts, starts fast.
"""

import ctypes
import os
import platform
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Config = Mapping[str, Any]


def place_in_run() -> tuple[int, int]:
    """(rank, world size) of this process, from torchrun's environment variables."""
    return int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))


def adopt_slurm() -> None:
    """Under ``srun`` with several tasks, set torchrun's environment variables from SLURM's.

    A batch script that does not call srun runs one process, however many tasks it reserved.
    """
    slurm = os.environ
    if int(slurm.get("SLURM_STEP_NUM_TASKS", 1)) < 2 or "WORLD_SIZE" in os.environ:
        return
    # "4(x2),3": tasks on each node in turn; nodes with different numbers of devices are not supported
    per_node = slurm.get("SLURM_STEP_TASKS_PER_NODE", slurm["SLURM_STEP_NUM_TASKS"]).partition("(")[0].partition(",")[0]
    job = int(re.sub(r"\D", "", slurm.get("SLURM_JOB_ID", "0")) or 0)
    own = {
        "RANK": slurm["SLURM_PROCID"],
        "LOCAL_RANK": slurm["SLURM_LOCALID"],
        "WORLD_SIZE": slurm["SLURM_STEP_NUM_TASKS"],
        "LOCAL_WORLD_SIZE": per_node,
        "MASTER_ADDR": first_host(slurm.get("SLURM_STEP_NODELIST", "127.0.0.1")),
        "MASTER_PORT": str(15000 + job % 20000),
    }
    for name, value in own.items():
        os.environ.setdefault(name, value)


def first_host(hosts: str) -> str:
    """The first host of SLURM's abbreviated host list.

    >>> first_host("gpu[07-09,12],login1"), first_host("node3,node4"), first_host("a-b[2]")
    ('gpu07', 'node3', 'a-b2')
    """
    found = re.match(r"([^,\[]+)(?:\[(\d+))?", hosts)
    return (found[1] + (found[2] or "")) if found else hosts


def is_joined() -> bool:
    """Whether torchrun or srun started this process as one of several."""
    return "WORLD_SIZE" in os.environ


def to_start(config: Config) -> int:
    """Number of processes to start on this machine for a run; 0 if this process runs it, alone or as one of a group."""
    trainer = config["trainer"]
    if is_joined():
        return 0
    count = processes_here(trainer)
    return count if count > 1 or (trainer.get("nodes") or 1) > 1 else 0


def processes_here(trainer: Config) -> int:
    """Number of processes of a run on one machine: one per GPU; on the CPU, ``processes``."""
    gpus = num_gpus() if trainer["gpus"] is None else trainer["gpus"]
    return int(trainer.get("processes") or max(gpus, 1))


def world_size(trainer: Config) -> int:
    """Number of processes of a run, on all machines together."""
    return place_in_run()[1] if is_joined() else processes_here(trainer) * (trainer.get("nodes") or 1)


def num_cores(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Number of CPU cores that this process may use: its CPU affinity, limited by the container's quota."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        allowed, period = quota.read_text().split()
        return max(min(bound, int(allowed) // int(period)), 1)
    except (OSError, ValueError):  # no cgroup v2, or the quota is "max"
        return bound


def threads_each(processes: int) -> int:
    """Threads per process when this many processes share the cores."""
    return max(num_cores() // processes, 1)


def num_workers(per_process: int = 16) -> int:
    """Number of data loading workers for this process: its share of the cores of this machine."""
    here = int(os.environ.get("LOCAL_WORLD_SIZE", place_in_run()[1]))
    return min(threads_each(here), per_process)


def num_gpus() -> int:
    """Number of GPUs that are visible here, without torch, which takes seconds to import.

    CUDA's driver is asked. A Mac with Apple silicon has one GPU that torch knows (``mps``; untried).
    """
    if sys.platform == "darwin":
        return int(platform.machine() == "arm64")
    count = ctypes.c_int(0)
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return 0
    return count.value if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 else 0


def import_from_here() -> None:
    """Make the current folder's modules importable, after all others: a config may name the user's own classes.

    ``python -m`` has done so already, before all others; a console script and a launcher's process have not.
    """
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path and not sys.flags.safe_path:
        sys.path.append(here)


def leave() -> None:
    """Destroy the process group, if there is one, before the interpreter exits.

    Its threads would outlive the interpreter; one that then calls into Python aborts the process.
    """
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
