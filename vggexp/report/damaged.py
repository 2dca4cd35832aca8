"""Leaves out damaged runs, with one line for each, so that the others still get their table and page."""

import io
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout

from vggexp.errors import DataError, UserError, kind_and_line
from vggexp.report.runs import Run

Show = Callable[[Sequence[Run]], None]


def show_undamaged(runs: Sequence[Run], show: Show, attempt: Show | None = None) -> list[Run]:
    """Show the runs. If that fails, show each run alone, leave out those that fail, and show the others.

    Args:
        show: shows runs, in a table or on a page.
        attempt: as ``show``, but without lasting effects; None: ``show`` with its output discarded.

    Returns:
        The runs that were shown.

    Raises:
        DataError: none of them can be shown.
        Exception: the error of ``show``, if it fails although each run alone can be shown.
    """
    try:
        show(runs)
        return list(runs)
    except UserError:
        raise
    except Exception:  # the files may hold anything, so nearly any exception can occur
        broken = {run.name: why for run in runs if (why := _trouble(run, attempt or show))}
        if not broken:
            raise
    for name, why in broken.items():
        say_damaged(name, why)
    rest = [run for run in runs if run.name not in broken]
    if not rest:
        raise DataError("no run is left to show")
    show(rest)
    return rest


def say_damaged(name: str, why: str) -> None:
    """Print one line for a run whose files are damaged."""
    print(f"vggexp: {name} is left out: its files are damaged ({why})", file=sys.stderr)


def _trouble(run: Run, attempt: Show) -> str:
    """The error that a run causes when it is shown alone; "" if none."""
    try:
        with redirect_stdout(io.StringIO()):
            attempt([run])
    except Exception as error:
        return kind_and_line(error)
    return ""
