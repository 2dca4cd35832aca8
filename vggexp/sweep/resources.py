"""Resources of a job that runs beside others: its cores, its GPUs, and a file for its output."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vggexp.distributed.lock import lock
from vggexp.distributed.processes import processes_here, threads_each
from vggexp.sweep.journal import Plan

_slots: list[int] = []  # file handles, kept open: the lock marks the slot as taken by this process


@contextmanager
def job_resources(journal: Path, plan: Plan, config: Mapping[str, Any]) -> Iterator[None]:
    """Limit this process to the job's resources, and redirect its output to ``output.txt`` in the run folder.

    Enter it before torch is imported and before CUDA is initialised.
    """
    take_gpus(journal, plan)
    if plan.threads is None:
        processes = processes_here(config["trainer"]) if "trainer" in config else 1
        os.environ["OMP_NUM_THREADS"] = str(threads_each(plan.share * processes))
    if "run" not in config:
        yield
        return
    folder = Path(config["run"]["dir"])
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "output.txt").open("a", encoding="utf-8") as file, _redirected(file.fileno()):
        yield


def take_gpus(journal: Path, plan: Plan) -> None:
    """Limit this process and its children to their part of the GPUs, for all jobs that the process runs."""
    if plan.share < 2 or not plan.gpus or _slots:
        return
    for slot in range(plan.share):
        handle = os.open(journal / f"slot-{slot}", os.O_RDWR | os.O_CREAT)
        if lock(handle) is not False:
            _slots.append(handle)
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(part(plan.gpus, plan.share, slot))
            return
        os.close(handle)


def part(gpus: tuple[str, ...], share: int, slot: int) -> tuple[str, ...]:
    """Part ``slot`` of the GPUs, split into ``share`` equal parts; with fewer GPUs than parts, parts overlap.

    >>> part(("0", "1", "2", "3"), 2, 1), part(("0", "1"), 4, 3)
    (('2', '3'), ('1',))
    """
    each = max(len(gpus) // share, 1)
    first = slot * each % len(gpus)
    return gpus[first : first + each]


@contextmanager
def _redirected(target: int) -> Iterator[None]:
    """Redirect standard output and error of this process and its children to a file descriptor."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(handle) for handle in (1, 2)]
    try:
        for handle in (1, 2):
            os.dup2(target, handle)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for handle, before in zip((1, 2), kept, strict=True):
            os.dup2(before, handle)
            os.close(before)
