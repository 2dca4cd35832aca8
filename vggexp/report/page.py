"""Writes runs to one HTML file that needs no network: the answer, comparisons, curves, classes, pictures, runs."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from vggexp.report import figures
from vggexp.report.album import Album
from vggexp.report.compare import groups
from vggexp.report.config_keys import distinguishing
from vggexp.report.details import details
from vggexp.report.page_data import page_data
from vggexp.report.palette import accents
from vggexp.report.runs import Run
from vggexp.report.section import Canvas, section

PICTURES = 5_000_000
"""Approximate maximum number of characters of all groups' galleries."""
SCRIPTS = ("core", "statistics", "answer", "compare", "figures", "table", "pictures", "details", "kept")
"""The files of ``script/``, in the order in which the page runs them."""


def write_page(root: Path, runs: Sequence[Run], output: Path, refresh: int | None = None) -> None:
    """Write the page.

    Args:
        refresh: seconds after which a browser reloads the page; None: never.
    """
    text = page_text(root, runs, refresh)
    if output.is_dir():
        raise IsADirectoryError(output)
    temporary = output.with_name(f".{output.name}.part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(output)


def page_text(root: Path, runs: Sequence[Run], refresh: int | None = None, live: bool = False) -> str:
    """The page.

    Args:
        live: the page asks the server that sent it for news, instead of being reloaded every ``refresh`` seconds.
    """
    from plotly.offline import get_plotlyjs

    here = Path(__file__).parent
    environment = Environment(loader=FileSystemLoader(here), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    found = groups(runs)
    canvas = Canvas({}, Album(), accents(found), {run.name: place for place, run in enumerate(runs)})
    sections = [section(group, f"group-{place}", canvas, PICTURES // len(found)) for place, group in enumerate(found)]
    if scatter := figures.iou_against_dice(runs, canvas.places):
        del scatter["layout"]["title"]  # the section has it
        canvas.figures["figure-iou-dice"] = scatter
    differing = distinguishing(runs)
    data = {**page_data(runs, found, canvas.accents, differing), "details": details(runs, differing)}
    parts = [*SCRIPTS, *(["live"] if live else [])]
    scripts = [(here / "script" / f"{name}.js").read_text(encoding="utf-8") for name in parts]
    return environment.get_template("page.html").render(
        title=str(root),
        number=len(runs),
        statuses=", ".join(f"{count} {status}" for status, count in Counter(run.status.word for run in runs).items()),
        written=time.strftime("%Y-%m-%d %H:%M"),
        refresh=refresh,
        live=live,
        groups=sections,
        tabs=_tabs(sections, bool(scatter)),
        costs=list(figures.COSTS.values()),
        album=canvas.album.pictures,
        scatter="figure-iou-dice" if scatter else "",
        figures=Markup(_json(canvas.figures)),
        data=Markup(_json(data)),
        plotly=Markup(get_plotlyjs()),
        css=Markup((here / "page.css").read_text(encoding="utf-8")),
        js=Markup('"use strict";\n' + "\n".join(scripts)),
    )


def _tabs(sections: Sequence[Mapping[str, Any]], has_scatter: bool) -> list[str]:
    """The tabs that have something to show."""
    shown = {
        "compare": has_scatter or any(one["figures"]["compare"] for one in sections),
        "curves": any(one["figures"]["curves"] for one in sections),
        "classes": any(one["figures"]["classes"] or one["by_class"] or one["confused"] for one in sections),
        "pictures": any(one["look"] or one["sheets"] for one in sections),
    }
    return ["answer", *(name for name, is_shown in shown.items() if is_shown), "runs", "details"]


def _json(value: Any) -> str:
    """JSON with numbers rounded to six digits, escaped so that it cannot close a script tag."""
    return json.dumps(_rounded(value), separators=(",", ":")).replace("<", "\\u003c").replace(">", "\\u003e")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}") if value == value and abs(value) != float("inf") else None
    if isinstance(value, Mapping):
        return {name: _rounded(item) for name, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value
