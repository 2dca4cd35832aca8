"""Writes runs to one HTML file that needs no network: table, comparisons, curves, pictures, each run's details."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from vggexp.report import figures
from vggexp.report.album import Album
from vggexp.report.compare import SHOWN, distinguishing, groups
from vggexp.report.details import details
from vggexp.report.gallery import anchor
from vggexp.report.runs import Run
from vggexp.report.section import section

PICTURES = 5_000_000
"""Approximate maximum number of characters of all groups' galleries."""
_SCORES = {"IoU": ("box_iou", "miou"), "Dice": ("box_dice", "mdice"), "top1": ("top1",)}


@dataclass(frozen=True)
class Cell:
    """A table's cell; ``sort`` is the value of a number (NaN if missing)."""

    text: str
    sort: float | None = None
    link: str = ""


@dataclass(frozen=True)
class Column:
    """A column of the table of runs."""

    title: str
    number: bool


def write_page(root: Path, runs: Sequence[Run], output: Path, refresh: int | None = None) -> None:
    """Write the page.

    Args:
        refresh: seconds after which a browser reloads the page; None: never.
    """
    from plotly.offline import get_plotlyjs

    here = Path(__file__).parent
    environment = Environment(loader=FileSystemLoader(here), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    drawn: dict[str, figures.Figure] = {}
    found = groups(runs)
    album = Album()
    sections = [
        section(group, f"group-{place}", drawn, album, PICTURES // len(found)) for place, group in enumerate(found)
    ]
    if scatter := figures.iou_against_dice(runs):
        drawn["figure-iou-dice"] = scatter
    columns, rows = _table(runs)
    shared, each = details(runs)
    text = environment.get_template("page.html").render(
        title=str(root),
        runs=runs,
        statuses=", ".join(f"{count} {status}" for status, count in Counter(run.status.word for run in runs).items()),
        written=time.strftime("%Y-%m-%d %H:%M"),
        refresh=refresh,
        columns=columns,
        rows=rows,
        groups=sections,
        costs=list(figures.COSTS.values()),
        album=album.pictures,
        scatter="figure-iou-dice" if scatter else "",
        shared=shared,
        details=each,
        figures=Markup(_json(drawn)),
        plotly=Markup(get_plotlyjs()),
        css=Markup((here / "page.css").read_text(encoding="utf-8")),
        js=Markup((here / "page.js").read_text(encoding="utf-8")),
    )
    if output.is_dir():
        raise IsADirectoryError(output)
    temporary = output.with_name(f".{output.name}.part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(output)


def _json(value: Any) -> str:
    """JSON with numbers rounded to six digits, escaped so that it cannot close a script tag."""
    return json.dumps(_rounded(value), separators=(",", ":")).replace("<", "\\u003c").replace(">", "\\u003e")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}") if value == value and abs(value) != float("inf") else None
    if isinstance(value, Mapping):
        return {name: _rounded(item) for name, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value


def _table(runs: Sequence[Run]) -> tuple[list[Column], list[list[Cell]]]:
    keys = distinguishing(runs)
    words = ["run", "status", *SHOWN]
    numbers = ["seed", "score", "baseline", *_SCORES, "parameters trained", "seconds", "peak MiB"]
    columns = [
        *(Column(name, False) for name in (*words, "objective")),
        *(Column(name, True) for name in numbers),
        *(Column(key, False) for key in keys),
    ]
    rows = []
    for place, run in enumerate(runs):
        scores = [_first(run, names) for names in _SCORES.values()]
        own = run.summary
        rows.append([
            Cell(run.name, link=anchor(run.name)),
            Cell(str(run.status)),
            *(Cell(str(run.choice.get(group, ""))) for group in SHOWN),
            Cell(run.metric),
            _number(run.seed, "d"),
            *(_number(value, ".3f") for value in (run.score(), run.score(of="baseline"), *scores)),
            _number(own.get("trainable_parameters"), ",d"),
            _number(own.get("seconds"), ",.0f"),
            _number(own.get("peak_memory_mib"), ",.0f"),
            *(Cell(values[place]) for values in keys.values()),
        ])  # fmt: skip
    return columns, rows


def _first(run: Run, names: Sequence[str]) -> float | None:
    return next((score for name in names if (score := run.score(name)) is not None), None)


def _number(value: float | None, form: str) -> Cell:
    return Cell("-", float("nan")) if value is None else Cell(format(value, form), float(f"{value:.8g}"))
