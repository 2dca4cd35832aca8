"""The figure of a group's curves: the objective on validation by epoch, and what trains in each epoch."""

from collections.abc import Sequence
from html import escape

from vggexp.report.compare import Group
from vggexp.report.layout import GRAY, Accents, Figure, Places, layout
from vggexp.report.runs import Run
from vggexp.report.scores import title

CURVES = 200
"""Maximum number of runs whose curves one figure draws: more cannot be distinguished."""


def curves(group: Group, accents: Accents, places: Places) -> Figure | None:
    """The objective on validation by epoch, one line per run; below, the share of trainable parameters.

    None if no run has two epochs.
    """
    traces: list[Figure] = []
    drawn = 0
    for place, setting in enumerate(group.settings):
        label, accent = escape(setting.label), accents[setting.label]
        colour = accent.colour
        for first, run in enumerate(setting.runs):
            if drawn == CURVES:
                break
            drawn += 1
            epochs, values = series(run)
            legend = {"name": label, "legendgroup": label, "showlegend": first == 0}
            line = {"type": "scatter", "mode": "lines", "line": {"color": colour, "dash": accent.dash, "width": 1.5}}
            meta = {"raw": values, "smooth": smooth(values), "run": places[run.name]}
            traces.append({**line, **legend, "x": epochs, "y": values, "meta": meta, "text": escape(run.name)})
            if first == 0 and (schedule := run.schedule()):
                step = {"shape": "hv", "color": colour, "width": 2}
                share = {"x": [epoch for epoch, _ in schedule], "y": [100 * value for _, value in schedule]}
                own = {"showlegend": False, "line": step, "meta": {"setting": place}}
                traces.append({**line, **legend, **own, **share, "yaxis": "y2"})
    if max((len(trace["x"]) for trace in traces), default=0) < 2:
        return None
    if (level := _baseline(group)) is not None:
        last = max((trace["x"][-1] for trace in traces if trace["x"]), default=0)
        dash = {"color": GRAY, "dash": "dash", "width": 1}
        line = {"type": "scatter", "mode": "lines", "name": "baseline", "line": dash}
        traces.append({**line, "x": [0, last], "y": [level, level]})
    drawn_of = f", {CURVES} of {len(group.runs)} runs" if drawn < len(group.runs) else ""
    return {
        "data": traces,
        "layout": layout(
            f"{title(group.metric)} on validation by epoch, one line per run{drawn_of}",
            xaxis={"title": {"text": "epoch"}, "anchor": "y2"},
            yaxis={"title": {"text": f"{title(group.metric)}, validation"}, "domain": [0.32, 1]},
            yaxis2={"title": {"text": "trainable, %"}, "domain": [0, 0.22], "range": [-4, 104]},
            height=520,
        ),
    }


def series(run: Run) -> tuple[list[int], list[float]]:
    """(epochs, values) of a run's objective on validation."""
    name = f"val/{run.metric}"
    rows = [row for row in run.rows if row.get(name) is not None]
    return [row["epoch"] for row in rows], [row[name] for row in rows]


def smooth(values: Sequence[float], keep: float = 0.7) -> list[float]:
    """An exponential moving average, corrected for its start.

    >>> smooth([1.0, 1.0, 1.0])
    [1.0, 1.0, 1.0]
    """
    average, weight, found = 0.0, 0.0, []
    for value in values:
        average, weight = keep * average + (1 - keep) * value, keep * weight + (1 - keep)
        found.append(round(average / weight, 6))
    return found


def _baseline(group: Group) -> float | None:
    """The baseline's score on validation; it depends only on the data, so any run has it."""
    name = f"val/{group.metric}"
    return next((value for run in group.runs if (value := run.summary["baseline"].get(name)) is not None), None)
