"""The running jobs and sweeps below a folder: progress, estimated time left, and the end of each log.

Everything is text of bounded length and not escaped; the page's script inserts it as text.
"""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vggexp.report.runs import Run
from vggexp.sweep.journal import Journal, duration, line, sweep_status

JOBS = 8
"""Running jobs that are shown, and sweeps."""
LINES = 40
"""Last lines of a log that are shown."""
WIDEST = 300
"""Characters of a line, or of a name."""
_AGED = 86_400
"""Seconds after which a sweep that has not ended is no longer shown: its command was killed."""


def running_jobs(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The first ``JOBS`` of the running runs, in JSON types."""
    return [_job(run) for run in runs if run.status.word == "running"][:JOBS]


def _job(run: Run) -> dict[str, Any]:
    best = run.summary["objective"].get("value")
    return {
        "name": run.name[:WIDEST],
        "epochs": run.status.epochs,
        "planned": run.status.planned,
        "best": "" if best is None else f"best {run.metric} {best:.3f}",
        "left": _left(run),
        "log": [_line(row)[:WIDEST] for row in run.rows[-LINES:]],
    }


def _left(run: Run) -> str:
    """The time for the remaining epochs, from the mean time of those that are over; "" if none is."""
    times = [row["time"] for row in run.rows if isinstance(row.get("time"), int | float)]
    done, planned = run.status.epochs, run.status.planned
    if not times or not 0 < done < planned:
        return ""
    return f"about {duration(times[-1] / done * (planned - done))} left"


def _line(row: dict[str, Any]) -> str:
    """A row of metrics.jsonl as a line: epoch, time, and its scores without those of single classes."""
    numbers = {name: value for name, value in row.items() if name.count("/") == 1 and isinstance(value, int | float)}
    scores = [f"{name} {value:.4g}" for name, value in numbers.items() if math.isfinite(value)]
    clock = f"{duration(row['time'])}" if isinstance(row.get("time"), int | float) else ""
    return "  ".join(filter(None, (f"epoch {row.get('epoch', '?')}", clock, *scores)))


def sweeps(root: Path) -> list[dict[str, Any]]:
    """The latest sweeps below ``root`` that have not ended: their state in one line, and a line for each ended job."""
    found = []
    for path in sorted(root.rglob(".sweep/*/plan.json"), reverse=True)[:JOBS]:
        journal = Journal(path.parent)
        try:
            plan, entries = journal.plan(), journal.entries()
        except (OSError, ValueError, TypeError):  # being written
            continue
        ended = [entry for entry in entries if entry.status not in ("running", "stopped")]
        latest = max((entry.began for entry in entries), default=path.stat().st_mtime)
        if plan is None or len(ended) >= plan.jobs or time.time() - latest > _AGED:
            continue
        lines = [line(plan, entry) for entry in ended[-LINES:]]
        found.append({
            "name": path.parent.name[:WIDEST], "says": sweep_status(plan, entries, time.time())[:WIDEST],
            "ended": len(ended), "jobs": plan.jobs, "log": [one[:WIDEST] for one in lines],
        })  # fmt: skip
    return found
