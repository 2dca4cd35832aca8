"""A sweep's journal: one small file per job, so that every process that sees the folder can read and write it.

``runs/.sweep/20261124-101500-4711/`` holds ``plan.json`` (number of jobs, jobs at once, swept keys), and for the
first job ``0.json`` (overrides, status, folder, seconds, error).
"""

import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from vggexp.run_folder import write_whole

VARIABLE = "VGGEXP_SWEEP"
"""The environment variable that passes the journal's folder to a job's processes."""


def runs_job() -> bool:
    """Whether this process runs a job of a sweep."""
    return VARIABLE in os.environ


@dataclass(frozen=True)
class Plan:
    """The facts of a sweep that are known before it starts. ``plan.json`` holds these fields."""

    jobs: int
    at_once: int = 1
    """Jobs that run at the same time."""
    share: int = 1
    """Jobs that run on one machine at the same time, and divide its cores and GPUs."""
    apart: bool = False
    """Whether the jobs run in processes of their own."""
    varies: tuple[str, ...] = ()
    """The keys that are swept."""
    earlier: tuple[str, ...] = ()
    """Folders of finished runs of the same search that an earlier command ran."""
    gpus: tuple[str, ...] = ()
    """The GPUs of this machine, as CUDA_VISIBLE_DEVICES names them."""
    threads: str | None = None
    """OMP_NUM_THREADS as the user set it; None if unset."""
    until: float | None = None
    """The time after which no job begins, in seconds since 1970; None: all of them run."""


@dataclass(frozen=True)
class Entry:
    """One job. ``<number>.json`` holds these fields."""

    number: int
    words: tuple[str, ...]
    status: str = "running"
    """running | done | pruned | skipped | failed | stopped (by Ctrl-C)"""
    folder: str | None = None
    """The run folder; None if the verb has none or the config could not be resolved."""
    process: int = field(default_factory=os.getpid)
    began: float = field(default_factory=time.time)
    seconds: float = 0.0
    code: int = 0
    error: str = ""
    score: str = ""
    """The objective as text, such as "val/top1 0.93"."""


class Journal:
    """The files of one sweep.

    Args:
        path: the folder; ``begin`` creates it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, plan: Plan) -> None:
        """Create the folder and write the plan."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_whole(self.path / "plan.json", json.dumps(asdict(plan)) + "\n")

    def write(self, entry: Entry) -> Entry:
        """Write or replace a job's file."""
        write_whole(self.path / f"{entry.number}.json", json.dumps(asdict(entry)) + "\n")
        return entry

    def plan(self) -> Plan | None:
        """The plan; None if it is not written yet."""
        path = self.path / "plan.json"
        return _read(Plan, path) if path.exists() else None

    def entries(self) -> list[Entry]:
        """The jobs that have started, by number."""
        return sorted((_read(Entry, path) for path in self.path.glob("[0-9]*.json")), key=lambda entry: entry.number)


def _read(kind: Any, path: Path) -> Any:
    content = json.loads(path.read_text(encoding="utf-8"))
    known = {one.name for one in fields(kind)}
    plain = {key: tuple(value) if isinstance(value, list) else value for key, value in content.items() if key in known}
    return kind(**plain)


def sweep_status(plan: Plan, entries: Sequence[Entry], now: float) -> str:
    """The progress of a sweep in one line.

    >>> jobs = [Entry(0, (), "done", seconds=60), Entry(1, (), "failed", seconds=2), Entry(2, (), "skipped")]
    >>> sweep_status(Plan(12), jobs, now=0.0)
    'sweep 3/12 · 1 skipped · 1 failed · about 9 min left'
    """
    count = {status: sum(entry.status == status for entry in entries) for status in _SHOWN}
    ended = sum(entry.status not in _OPEN for entry in entries)
    words = [f"{number} {status}" for status, number in count.items() if number]
    left = seconds_left(plan, entries, now)
    if left is not None and ended < plan.jobs:
        words.append(f"about {duration(left)} left")
    return " · ".join([f"sweep {ended}/{plan.jobs}", *words])


_OPEN = ("running", "stopped")
_SHOWN = ("running", "pruned", "skipped", "failed", "stopped")


def seconds_left(plan: Plan, entries: Iterable[Entry], now: float) -> float | None:
    """Estimated seconds left, from the mean time of the trained jobs; None if no job has been trained."""
    entries = list(entries)
    taken = [entry.seconds for entry in entries if entry.status in ("done", "pruned")]
    if not taken:
        return None
    mean = sum(taken) / len(taken)
    running = [min(now - entry.began, mean) for entry in entries if entry.status == "running"]
    waiting = plan.jobs - sum(entry.status not in _OPEN for entry in entries)
    left = max(waiting * mean - sum(running), 0.0) / max(min(plan.at_once, waiting), 1)
    return left if plan.until is None else min(left, max(plan.until - now, 0.0))


def duration(seconds: float) -> str:
    """A time as text.

    >>> duration(9.2), duration(239), duration(7800)
    ('10 s', '4 min', '2 h 10 min')
    """
    if seconds < 90:
        return f"{-(-int(seconds + 0.999) // 5) * 5} s" if seconds > 5 else f"{int(seconds + 0.999)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def title(plan: Plan, words: Sequence[str]) -> str:
    """The overrides that distinguish a job from the others of its sweep.

    >>> title(Plan(2, varies=("seed",)), ("task=segmentation", "seed=2"))
    'seed=2'
    """
    varying = [word for word in words if word.partition("=")[0].lstrip("+") in plan.varies]
    return " ".join(varying or words)


def line(plan: Plan, entry: Entry) -> str:
    """One line for a job that has ended: its overrides, how it ended, its score and its folder."""
    what = entry.status if entry.status == "skipped" else f"{entry.status} in {duration(entry.seconds)}"
    told = entry.error or "  ".join(filter(None, (entry.score, entry.folder or "")))
    return "  ".join(filter(None, (f"job {entry.number + 1}", title(plan, entry.words), what, told)))


def failures(plan: Plan, entries: Iterable[Entry]) -> list[str]:
    """A line for each failed job: its overrides, exit code, folder and error."""
    return [
        f"  job {entry.number + 1}  {title(plan, entry.words)}  (exit code {entry.code}"
        + (f", {entry.folder}" if entry.folder else "")
        + f"): {entry.error}"
        for entry in entries
        if entry.status == "failed"
    ]
