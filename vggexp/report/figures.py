"""The page's figures, as plain dicts for plotly; all text that comes from runs is escaped.

``meta`` of a trace tells the page's script what the trace follows when somebody selects runs: ``run`` or ``runs``
(places in the page's list of runs, one a trace or one a point), ``setting`` or ``rows`` (places in the group's list of
settings), or what the script computes anew: ``mean``, ``point`` (a setting's cost and score), ``front``.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from vggexp.report.compare import Group, Setting, pareto
from vggexp.report.heat_map import NUMBERED, TILES, numbers
from vggexp.report.palette import COLOURS, SYMBOLS, Accent
from vggexp.report.runs import Run
from vggexp.report.scores import title

Figure = dict[str, Any]

Places = Mapping[str, int]
"""By run name: its place in the page's list of runs."""
Accents = Mapping[str, Accent]

COSTS = {"trainable_parameters": "trained parameters", "seconds": "seconds", "peak_memory_mib": "peak memory, MiB"}
BY_CLASS = {"iou": "IoU", "dice": "Dice", "ap": "average precision", "segm_ap": "average precision of masks"}
"""Scores of single classes, by the name before the slash in the metric."""
NUMBERED_TILES = 400
"""Maximum number of tiles that show their numbers: of more, the numbers are too small to read."""
CURVES = 200
"""Maximum number of runs whose curves one figure draws: more cannot be distinguished."""
GRAY = "#808080"
_GRID = "rgba(128,128,128,0.25)"


def layout(title: str, **more: Any) -> Figure:
    """The common layout: transparent background, so that figures fit light and dark pages."""
    axis = {"gridcolor": _GRID, "zerolinecolor": _GRID, "automargin": True}
    axes = {name: {**axis, **value} for name, value in more.items() if name.startswith(("xaxis", "yaxis"))}
    rest = {name: value for name, value in more.items() if name not in axes}
    return {
        "title": {"text": title, "font": {"size": 15}},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": GRAY, "family": "system-ui, sans-serif"},
        "margin": {"l": 60, "r": 20, "t": 16, "b": 70},
        "legend": {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"},
        "hoverlabel": {"namelength": -1},
        "height": 420,
        **axes,
        **rest,
    }


def _marker(accent: Accent, size: int = 9) -> Figure:
    return {"color": accent.colour, "symbol": accent.symbol, "size": size}


def by_setting(group: Group, accents: Accents, places: Places) -> Figure | None:
    """Each repeat's score and their mean, one column per setting; the baseline as a line. None for a single point."""
    traces: list[Figure] = []
    labels = [escape(setting.label) for setting in group.settings]
    for label, setting in zip(labels, group.settings, strict=True):
        runs = [run for run in setting.finished if run.score() is not None]
        points = {"x": [label] * len(runs), "y": [run.score() for run in runs], "hoverinfo": "text+x"}
        points["text"] = [f"{escape(run.name)}: {run.score():.4f}" for run in runs]
        meta = {"runs": [places[run.name] for run in runs]}
        mark = _marker(accents[setting.label])
        traces.append({"type": "scatter", "mode": "markers", "name": label, "marker": mark, "meta": meta, **points})
    if sum(len(trace["x"]) for trace in traces) < 2:
        return None
    means = [_mean(setting) for setting in group.settings]
    bar = {"symbol": "line-ew", "size": 26, "line": {"width": 2, "color": GRAY}}
    mean = {"type": "scatter", "mode": "markers", "name": "mean", "x": labels, "y": means, "marker": bar}
    traces.append({**mean, "meta": {"mean": True}})
    baseline = next((value for run in group.runs if (value := run.score(of="baseline")) is not None), None)
    shapes, notes = _level(baseline)
    return {
        "data": traces,
        "layout": layout(
            f"{title(group.metric)} of each run, by setting",
            yaxis={"title": {"text": f"{title(group.metric)}, test split"}},
            xaxis={"type": "category", "tickvals": labels, "ticktext": [_short(label) for label in labels]},
            showlegend=False,
            shapes=shapes,
            annotations=notes,
        ),
    }


def _baseline(group: Group) -> float | None:
    """The baseline's score on validation; it depends only on the data, so any run has it."""
    name = f"val/{group.metric}"
    return next((value for run in group.runs if (value := run.summary["baseline"].get(name)) is not None), None)


def _short(label: str, most: int = 24) -> str:
    return label if len(label) <= most else label[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _level(baseline: float | None) -> tuple[list[Figure], list[Figure]]:
    if baseline is None:
        return [], []
    line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": baseline, "y1": baseline}
    note = {"xref": "paper", "x": 1, "y": baseline, "text": "baseline", "showarrow": False, "yanchor": "bottom"}
    return [{**line, "line": {"dash": "dash", "color": GRAY, "width": 1}}], [{**note, "xanchor": "right"}]


def against_cost(group: Group, cost: str, accents: Accents) -> Figure | None:
    """Mean score against a setting's cost (a key of ``COSTS``), with the Pareto front; None if all cost the same."""
    known = [(place, one.cost(cost), _mean(one)) for place, one in enumerate(group.settings)]
    points = [(place, x, y) for place, x, y in known if x is not None and y is not None]
    if len({x for _, x, _ in points}) < 2:
        return None
    front = [points[place] for place in pareto([(x, y) for _, x, y in points], group.mode)]
    step = {"shape": "hv", "color": GRAY, "dash": "dot", "width": 1}
    line = {"x": [x for _, x, _ in front], "y": [y for *_, y in front], "line": step, "hoverinfo": "skip"}
    meta = {"front": group.mode}
    traces: list[Figure] = [{"type": "scatter", "mode": "lines", "name": "Pareto front", "meta": meta, **line}]
    for place, x, y in points:
        label = group.settings[place].label
        mark = {"type": "scatter", "mode": "markers", "x": [x], "y": [y], "marker": _marker(accents[label], 11)}
        traces.append({**mark, "name": escape(label), "meta": {"point": list(COSTS).index(cost), "setting": place}})
    axes = {
        "xaxis": {"title": {"text": COSTS[cost]}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": title(group.metric)}},
    }
    return {"data": traces, "layout": layout(f"{title(group.metric)} and {COSTS[cost]}", **axes, height=440)}


def _mean(setting: Setting) -> float | None:
    scores = list(setting.by_seed().values())
    return sum(scores) / len(scores) if scores else None


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


def iou_against_dice(runs: Sequence[Run], places: Places) -> Figure | None:
    """One point per run, and the relation that holds for one box or mask; means over many images lie below it.

    None for fewer than two points.
    """
    traces: list[Figure] = []
    pairs = (("box_iou", "box_dice"), ("miou", "mdice"), ("miou_image", "mdice_image"))
    for place, (iou, dice) in enumerate(pairs):
        both = [(run, run.score(iou), run.score(dice)) for run in runs]
        found = [(run, x, y) for run, x, y in both if x is not None and y is not None]
        if not found:
            continue
        points: Figure = {"x": [x for _, x, _ in found], "y": [y for _, _, y in found]}
        points |= {"marker": {"color": COLOURS[place], "symbol": SYMBOLS[place], "size": 7}}
        points |= {"meta": {"runs": [places[run.name] for run, _, _ in found]}}
        text = [escape(run.name) for run, _, _ in found]
        traces.append({"type": "scatter", "mode": "markers", "name": f"{iou}, {dice}", "text": text, **points})
    if sum(len(trace["x"]) for trace in traces) < 2:
        return None
    grid = [step / 50 for step in range(51)]
    relation = {"x": grid, "y": [2 * x / (1 + x) for x in grid], "name": "Dice = 2 IoU / (1 + IoU)"}
    line = {"color": GRAY, "width": 1}
    traces.append({"type": "scatter", "mode": "lines", "line": line, "hoverinfo": "skip", **relation})
    axes = {"xaxis": {"title": {"text": "IoU"}, "range": [0, 1]}, "yaxis": {"title": {"text": "Dice"}, "range": [0, 1]}}
    return {"data": traces, "layout": layout("IoU against Dice, one point per run", **axes)}


def by_class(group: Group, kind: str) -> Figure | None:
    """Heat map of the mean of each class's score, by setting; ``kind`` is a key of ``BY_CLASS``."""
    prefix = f"test/{kind}/"
    names = [name for run in group.runs for name in run.summary["metrics"] if name.startswith(prefix)]
    if not (names := list(dict.fromkeys(names))):
        return None
    rows = [[_class_mean(setting, name.removeprefix("test/")) for name in names] for setting in group.settings]
    return {
        "data": [{
            **TILES,
            "x": [escape(name.removeprefix(prefix)) for name in names],
            "y": [escape(setting.label) for setting in group.settings],
            "meta": {"rows": list(range(len(group.settings)))},
            "z": rows, "hovertemplate": "%{y}<br>%{x}: %{z:.3f}<extra></extra>",
            **({"text": numbers(rows), **NUMBERED} if len(names) * len(rows) <= NUMBERED_TILES else {}),
        }],
        "layout": layout(
            f"{BY_CLASS[kind]} of each class, mean over repeats",
            xaxis={"type": "category"}, yaxis={"type": "category", "autorange": "reversed"},
            height=160 + 28 * len(rows),
        ),
    }  # fmt: skip


def _class_mean(setting: Setting, metric: str) -> float | None:
    scores = list(setting.by_seed(metric).values())
    return sum(scores) / len(scores) if scores else None


def follow_settings(figure: Figure, group: Group, accents: Accents) -> Figure:
    """Give the traces that show one setting its place and its accent: those with its name, or with its pick."""
    places = {escape(setting.label): place for place, setting in enumerate(group.settings)}
    picks = [escape(str(pick)) for pick in figure["layout"].get("meta", {}).get("picks", [])]
    for trace in figure["data"]:
        pick = (trace.get("meta") or {}).get("pick")
        name = str(trace.get("name", "")) if pick is None else picks[pick]
        own = [label for label in places if name == label or (pick is not None and name.startswith(f"{label} ("))]
        if not own:
            continue
        label = max(own, key=len)
        trace["meta"] = {**(trace.get("meta") or {}), "setting": places[label]}
        if pick is None and "line" in trace:
            accent = accents[group.settings[places[label]].label]
            trace["line"] = {**trace["line"], "color": accent.colour, "dash": accent.dash}
    return figure
