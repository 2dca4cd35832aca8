"""A table of runs for a terminal, one part for each folder."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from vggexp.report.console import console, number
from vggexp.report.plain_table import Column, fits, table_lines
from vggexp.report.runs import Run

_COLUMNS = {
    "run": Column("run"), "task": Column("task"), "freeze": Column("freeze"), "metric": Column("metric"),
    "ours": Column("ours", is_number=True), "baseline": Column("baseline", is_number=True),
    "trained": Column("trained", is_number=True), "seconds": Column("seconds", is_number=True),
    "status": Column("status"),
}  # fmt: skip
_SHARED = ("task", "metric", "baseline")
"""Columns that a part's title names instead, if all its runs agree."""
_LESS = ("trained", "task", "seconds")
"""Columns to leave out of a narrow terminal, one after another."""


def print_runs(root: Path, runs: Sequence[Run]) -> None:
    """Print a row for each run: its objective on test (on validation, if not tested) beside the baseline's.

    Runs of one folder stand together, below its path and what all of them share. If some have not finished, each has
    its status, and below the tables it says why runs failed or stopped.
    """
    out = console()
    any_open = any(run.status.word != "finished" for run in runs)
    for folder, some in groupby(sorted(runs, key=_folder), key=_folder):
        rows = [_cells(run) for run in some]
        title, columns = _layout(rows, any_open, out.width)
        out.print(f"{root / folder}{title}", style="bold", markup=False, emoji=False, soft_wrap=True)
        head, *lines = table_lines(
            [_COLUMNS[name] for name in columns], [[row[name] for name in columns] for row in rows], out.width
        )
        out.print(head, style="bold", markup=False, emoji=False, soft_wrap=True)
        out.print("\n".join(lines), markup=False, emoji=False, soft_wrap=True)
    for run in runs:
        if run.status.why and run.status.word != "pruned":
            out.print(f"{run.name} {run.status.word}: {run.status.why}", markup=False, soft_wrap=True)


def _folder(run: Run) -> str:
    return run.name.rpartition("/")[0]


def _layout(rows: Sequence[dict[str, str]], has_status: bool, width: int) -> tuple[str, list[str]]:
    """What follows the folder in a part's title, and the names of its columns."""
    shared = [name for name in _SHARED if len(rows) > 1 and len({row[name] for row in rows}) == 1]
    columns = [name for name in _COLUMNS if name not in shared and (has_status or name != "status")]
    said = [f"baseline {rows[0][name]}" if name == "baseline" else rows[0][name] for name in shared]
    for name in _LESS:
        chosen = [[row[column] for column in columns] for row in rows]
        if fits([_COLUMNS[column] for column in columns], chosen, width):
            break
        columns = [column for column in columns if column != name]
    return f": {', '.join(said)}" if said else "", columns


def _cells(run: Run) -> dict[str, str]:
    own = run.summary
    metric = next((name for split in ("test", "val") if (name := f"{split}/{run.metric}") in own["metrics"]), "")
    return {
        "run": run.name.rpartition("/")[2], "task": str(run.choice["task"]), "freeze": str(run.choice["freeze"]),
        "metric": metric, "ours": number(run.score()), "baseline": number(run.score(of="baseline")),
        "trained": _count(own.get("trainable_parameters"), ",d"), "seconds": _count(own.get("seconds"), ".0f"),
        "status": str(run.status),
    }  # fmt: skip


def _count(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
