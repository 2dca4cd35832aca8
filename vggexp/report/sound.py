"""One damaged run among many is left out with a line; it never keeps the others from a table or a page."""

import io
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout

from vggexp.errors import DataError, UserError, kind_and_line
from vggexp.report.runs import Run

Show = Callable[[Sequence[Run]], None]


def show_sound(runs: Sequence[Run], show: Show, attempt: Show | None = None) -> list[Run]:
    """Show the runs; if that fails, leave out those that fail alone, and show the others.

    Args:
        show: shows runs, in a table or on a page.
        attempt: does the same where it harms nothing; None: ``show``, its output thrown away.

    Returns:
        The runs that were shown.

    Raises:
        DataError: none of them can be shown.
        Exception: whatever ``show`` raises although each run alone can be shown.
    """
    try:
        show(runs)
        return list(runs)
    except UserError:
        raise
    except Exception:  # files of runs may hold anything, so nearly any kind
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
    """One line for a run whose files hold something else than a run's."""
    print(f"vggexp: {name} is left out: its files are damaged ({why})", file=sys.stderr)


def _trouble(run: Run, attempt: Show) -> str:
    """What goes wrong with a run alone; "" if nothing does."""
    try:
        with redirect_stdout(io.StringIO()):
            attempt([run])
    except Exception as error:
        return kind_and_line(error)
    return ""
