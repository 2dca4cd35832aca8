"""Figures of the diagnostics: confusion matrices, precision-recall curves, histograms of IoU.

If settings cannot share a plot, the figure holds all and shows one: a trace's ``meta.pick`` is an index into the
layout's ``meta.picks``, the labels to choose from.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from vggexp.report.confusions import LEGIBLE, UNITS
from vggexp.report.diagnostics import Diagnostics
from vggexp.report.heat_map import heat_map
from vggexp.report.layout import GRAY, Figure, layout
from vggexp.report.object_figures import errors
from vggexp.report.palette import COLOURS

CELLS = 60_000
"""Maximum number of cells of all confusion matrices of one figure."""
POINTS = 15_000
"""Maximum number of points of all curves of one figure."""
CURVES = POINTS // 10


def drawn(found: Sequence[Diagnostics]) -> dict[str, Figure]:
    """The figures for the diagnostics of one group's settings, by name."""
    made = {f"confusion-{kind}": confusion(found, kind) for kind in UNITS}
    made |= {"curve": precision_recall(found), "histogram": histogram(found), "errors": errors(found)}
    return {name: figure for name, figure in made.items() if figure is not None}


def confusion(found: Sequence[Diagnostics], kind: str) -> Figure | None:
    """Confusion matrices with rows normalised by the truth; hovering over a cell shows its count."""
    tiles: list[Figure] = []
    numbers: list[Figure] = []
    picks: list[str] = []
    size = 0
    for one in found:
        part = one.kinds.get(kind)
        if part is None or "confusion" not in part or (len(picks) + 1) * len(part["classes"]) ** 2 > CELLS:
            continue
        names, counts = [escape(name) for name in part["classes"]], part["confusion"]
        shares = [[count / max(1, sum(row)) for count in row] for row in counts]
        size = max(size, len(names))
        coloured, *white = heat_map(
            {
                "x": names, "y": names, "z": shares, "customdata": counts, "showscale": False,
                "hovertemplate": "truth %{y}<br>predicted %{x}<br>%{z:.3f} of the truth (%{customdata})<extra></extra>",
            },
            is_numbered=size <= LEGIBLE,
            least=0.005,
            **_pick(picks, one.setting.label),
        )  # fmt: skip
        tiles.append(coloured)
        numbers += white
    if not tiles:
        return None
    title = f"confusion of {UNITS[kind]}: each row in shares of its truth"
    axes = {
        "xaxis": {"type": "category", "title": {"text": "predicted"}, "constrain": "domain"},
        "yaxis": {"type": "category", "title": {"text": "truth"}, "autorange": "reversed"},
    }
    height = min(900, 220 + 34 * size)
    return {"data": [*tiles, *numbers], "layout": layout(title, **axes, height=height, meta={"picks": picks})}


def left_out(found: Sequence[Diagnostics], figures: Mapping[str, Figure]) -> list[str]:
    """One line for each figure that is missing, or lacks settings, because it would be too large."""
    lines = []
    for kind, unit in UNITS.items():
        sizes = [len(part["classes"]) for one in found if (part := one.kinds.get(kind))]
        figure = figures.get(f"confusion-{kind}")
        shown = len(figure["layout"]["meta"]["picks"]) if figure else 0
        if shown < len(sizes):
            cells = f"{max(sizes):,} classes make {max(sizes) ** 2:,} cells per setting; the limit is {CELLS:,}"
            which = f"for {shown} of {len(sizes)} settings" if shown else "not drawn"
            lines.append(f"The confusion matrix of {unit} is {which}: {cells}.")
    curves = sum(len(part["curve"]) for _, part in _with_curves(found))
    if curves and "curve" not in figures:
        lines.append(f"Precision and recall are not drawn: there are {curves:,} curves; the limit is {CURVES:,}.")
    return lines


def precision_recall(found: Sequence[Diagnostics]) -> Figure | None:
    """Precision-recall curves of each class against the rest; the legend has the average precisions."""
    shown = _with_curves(found)
    total = sum(len(part["curve"]) for _, part in shown)
    if not total or total > CURVES:
        return None
    traces: list[Figure] = []
    picks: list[str] = []
    for one, part in shown:
        known = [curve["average_precision"] for curve in part["curve"] if curve]
        mean = sum(known) / len(known) if known else 0.0
        pick = _pick(picks, f"{one.setting.label} (mean average precision {mean:.3f})")
        for place, (name, curve) in enumerate(zip(part["classes"], part["curve"], strict=True)):
            if curve is None:
                continue
            dash = ("solid", "dash", "dot", "dashdot")[place // len(COLOURS) % 4]
            line = {"color": COLOURS[place % len(COLOURS)], "dash": dash, "width": 1.5, "shape": "vh"}
            traces.append({
                "type": "scatter", "mode": "lines", "line": line, **pick,
                "name": f"{escape(name)} {curve['average_precision']:.3f}",
                "x": _thinned(curve["recall"], POINTS // total), "y": _thinned(curve["precision"], POINTS // total),
            })  # fmt: skip
    axes = {
        "xaxis": {"title": {"text": "recall"}, "range": [0, 1.01]},
        "yaxis": {"title": {"text": "precision"}, "range": [0, 1.02]},
    }
    title = "precision and recall, one curve per class"
    return {"data": traces, "layout": layout(title, **axes, height=480, meta={"picks": picks})}


def _with_curves(found: Sequence[Diagnostics]) -> list[tuple[Diagnostics, Mapping[str, Any]]]:
    """The diagnostics that have a curve per class, of one label per image or of several."""
    return [(one, part) for one in found for part in one.kinds.values() if "curve" in part]


def histogram(found: Sequence[Diagnostics]) -> Figure | None:
    """Share of the images by IoU, one line per setting; above 0.5 a box counts as correct."""
    traces: list[Figure] = []
    for place, one in enumerate(found):
        if (part := one.kinds.get("localization")) is None:
            continue
        counts, total = part["histogram"], max(1, sum(part["histogram"]))
        edges = [place / len(counts) for place in range(len(counts) + 1)]
        shares = [100 * count / total for count in counts]
        line = {"color": COLOURS[place % len(COLOURS)], "width": 2, "shape": "hv"}
        traces.append({
            "type": "scatter", "mode": "lines", "name": escape(one.setting.label), "line": line,
            "x": edges, "y": [*shares, shares[-1]],
            "hovertemplate": f"IoU from %{{x}}: %{{y:.1f}} % of {total}",
        })  # fmt: skip
    if not traces:
        return None
    threshold = {"type": "line", "x0": 0.5, "x1": 0.5, "yref": "paper", "y0": 0, "y1": 1}
    note = {
        "x": 0.5,
        "yref": "paper",
        "y": 1,
        "text": "correct above 0.5",
        "showarrow": False,
        "xanchor": "left",
        "xshift": 4,
    }
    return {
        "data": traces,
        "layout": layout(
            f"IoU of the boxes, in {len(counts)} bins",
            xaxis={"title": {"text": "IoU"}, "range": [0, 1]},
            yaxis={"title": {"text": "images, %"}, "rangemode": "tozero"},
            shapes=[{**threshold, "line": {"dash": "dash", "color": GRAY, "width": 1}}],
            annotations=[note],
            showlegend=True,
        ),
    }


def _pick(picks: list[str], label: str) -> dict[str, Any]:
    """Add a label to choose from, and return the keys that link a trace to it; the first is visible."""
    picks.append(label)
    return {"meta": {"pick": len(picks) - 1}, "visible": len(picks) == 1}


def _thinned(values: Sequence[float], most: int) -> list[float]:
    if len(values) <= most:
        return list(values)
    return [values[round(step * (len(values) - 1) / (most - 1))] for step in range(most)]
