"""A benchmark's rows as one HTML file that needs no network, and as a table for a terminal."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from rich.table import Table

from vggexp.benchmark.result import Row
from vggexp.run_folder import write_whole

COLUMNS = ("ratio", "span", "share", "memory")


def texts(row: Row) -> dict[str, str]:
    """A row's numbers as text with three significant digits.

    >>> texts(Row("fine_tune", "plain", 2.734, 2.7, 12.81, 0.8123, 0.5))
    {'ratio': '2.73', 'span': '2.70 to 12.8', 'share': '81%', 'memory': '0.50'}
    """
    return {
        "ratio": _digits(row.ratio),
        "span": f"{_digits(row.low)} to {_digits(row.high)}",
        "share": "-" if row.share_of_peak is None else f"{row.share_of_peak:.0%}",
        "memory": f"{row.memory_ratio:.2f}",
    }


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(rows: Sequence[Row]) -> Table:
    """The rows as a table for a terminal."""
    shown = Table("work", "against", box=None, pad_edge=False)
    for title in ("times as fast", "low to high", "share of peak", "memory, ours/theirs"):
        shown.add_column(title, justify="right")
    for row in rows:
        text = texts(row)
        shown.add_row(row.work, row.against, *(text[name] for name in COLUMNS))
    return shown


def write_page(
    path: Path, rows: Sequence[Row], content: Mapping[str, Any], notes: Mapping[str, str], command: str
) -> None:
    """Write the page.

    Args:
        content: machine, versions, date and config, as ``result.document`` has them.
        notes: description of each work.
        command: the command that repeats the measurement.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    ends = [math.log(value) for row in rows for value in (row.low, row.high, 1.0)]
    shown = [
        {"work": row.work, "against": row.against, "ratio": row.ratio, "text": texts(row), "bar": bar(row, ends)}
        for row in rows
    ]
    text = environment.get_template("page.html").render(
        **{name: content[name] for name in ("machine", "versions", "date", "config")},
        rows=shown, one=_place(1.0, ends), notes=notes, command=command,
    )  # fmt: skip
    write_whole(path, text)


def bar(row: Row, ends: Sequence[float]) -> dict[str, float]:
    """Position of a row's bar, from ratio 1 to its ratio, and the ends of its range, all 0 to 100."""
    one, own = _place(1.0, ends), _place(row.ratio, ends)
    return {
        "left": min(one, own),
        "width": abs(own - one),
        "low": _place(row.low, ends),
        "high": _place(row.high, ends),
    }


def _place(value: float, ends: Sequence[float]) -> float:
    """A value's position on a logarithmic scale between the ends, 0 to 100."""
    low, high = min(ends), max(ends)
    return round(100 * (math.log(value) - low) / (high - low), 2) if high > low else 0.0
