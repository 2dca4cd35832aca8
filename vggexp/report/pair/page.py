"""The page of ``compare``: one HTML file that needs no network."""

import json
import time
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from vggexp.report.heat_map import heat_map
from vggexp.report.layout import layout
from vggexp.report.pair.tables import sentences
from vggexp.report.palette import COLOURS
from vggexp.run_folder import plain, write_whole

Figure = dict[str, Any]
Found = Mapping[str, Any]


def write_page(output: Path, found: Found, pictures: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write the page.

    Args:
        found: as ``command/compare`` collects it.
        pictures: of "gained" and "lost" images, as ``shots`` gives them.
    """
    from plotly.offline import get_plotlyjs

    here = Path(__file__).parent
    environment = Environment(loader=FileSystemLoader(here), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    figures = {name: figure for name, figure in _figures(found).items() if figure}
    text = environment.get_template("page.html").render(
        found=found,
        sentences=list(sentences(found)),
        figures={name: one["layout"]["title"]["text"] for name, one in figures.items()},
        pictures=pictures,
        written=time.strftime("%Y-%m-%d %H:%M"),
        css=Markup((here.parent / "page.css").read_text(encoding="utf-8")),
        plotly=Markup(get_plotlyjs()),
        data=Markup(json.dumps(plain(figures), separators=(",", ":")).replace("<", "\\u003c").replace(">", "\\u003e")),
    )
    write_whole(output, text)


def _figures(found: Found) -> dict[str, Figure | None]:
    names = found["runs"]
    line = found.get("line") or {}
    return {
        "cka": cka_figure(found["cka"], names) if "cka" in found else None,
        "weights": drift_figure(found["drift"]) if found["drift"] else None,
        **{f"line-{place}": line_figure(line, metric, names) for place, metric in enumerate(line.get("barrier", {}))},
        "images": scores_figure(found["agreement"], names) if "agreement" in found else None,
    }


def cka_figure(cka: Found, names: Sequence[str]) -> Figure:
    """A matrix: the first run's stages down, the second's across."""
    values = cka["values"]
    stages = [[f"stage {k}" for k in range(1, count + 1)] for count in (len(values), len(values[0]))]
    traces = heat_map({"x": stages[1], "y": stages[0], "z": values, "colorbar": {"title": {"text": "CKA"}},
                       "hovertemplate": "%{y}, %{x}: %{z:.3f}<extra></extra>"})  # fmt: skip
    axes = {"xaxis": {"title": {"text": escape(names[1])}},
            "yaxis": {"title": {"text": escape(names[0])}, "autorange": "reversed"}}  # fmt: skip
    return {"data": traces, "layout": layout(f"Features: linear CKA between stages, {cka['images']} images", **axes)}


def drift_figure(drift: Found) -> Figure:
    """A bar a layer, a colour a part."""
    traces = []
    for place, (part, one) in enumerate(drift.items()):
        layers = [escape(name) for name in one["layers"]]
        colour = {"color": COLOURS[place % len(COLOURS)]}
        traces.append(
            {"type": "bar", "name": escape(part), "x": layers, "y": list(one["layers"].values()), "marker": colour}
        )
    axes = {"yaxis": {"title": {"text": "distance / norm of the first"}}, "xaxis": {"type": "category"}}
    return {"data": traces, "layout": layout("Weights: distance of each layer", **axes)}


def line_figure(line: Found, metric: str, names: Sequence[str]) -> Figure:
    """A metric on the line between the two runs' weights."""
    values = [scores[metric] for scores in line["scores"]]
    ends: Figure = {"type": "scatter", "mode": "lines", "name": "straight line", "x": [0, 1],
                    "y": [values[0], values[-1]], "line": {"dash": "dot", "color": COLOURS[-1]}}  # fmt: skip
    curve: Figure = {"type": "scatter", "mode": "lines+markers", "name": metric, "x": line["share"], "y": values,
                     "line": {"color": COLOURS[0]}}  # fmt: skip
    axes = {"xaxis": {"title": {"text": f"0: {escape(names[0])}   1: {escape(names[1])}"}},
            "yaxis": {"title": {"text": metric}}}  # fmt: skip
    return {"data": [ends, curve], "layout": layout(f"Between the weights: {metric}", **axes)}


def scores_figure(agreement: Found, names: Sequence[str]) -> Figure:
    """A point a test image: its score by the first run and by the second."""
    first, second = agreement["pairs"]
    points = {"type": "scatter", "mode": "markers", "x": first, "y": second, "name": "image",
              "marker": {"color": COLOURS[0], "opacity": 0.5}}  # fmt: skip
    equal = {"type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "name": "equal", "hoverinfo": "skip",
             "line": {"dash": "dot", "color": COLOURS[-1]}}  # fmt: skip
    axes = {"xaxis": {"title": {"text": escape(names[0])}}, "yaxis": {"title": {"text": escape(names[1])}}}
    return {"data": [equal, points], "layout": layout("Single test images: score by each run", **axes)}
