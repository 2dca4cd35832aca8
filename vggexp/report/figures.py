"""The page's figures, as plain dicts for plotly; all text that comes from runs is escaped."""

from collections.abc import Sequence
from html import escape
from typing import Any

from vggexp.report.compare import Group, Setting, pareto
from vggexp.report.runs import Run

Figure = dict[str, Any]

# Okabe and Ito's colours, which colour-blind people can distinguish, and which are visible on white and on black.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#B0A000", "#888888")
SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "star", "hexagon")
COSTS = {"trainable_parameters": "parameters trained", "seconds": "seconds", "peak_memory_mib": "peak memory, MiB"}
BY_CLASS = {"iou": "IoU", "dice": "Dice", "ap": "average precision", "segm_ap": "average precision of masks"}
"""Scores of single classes, by the name before the slash in the metric."""
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
        "margin": {"l": 60, "r": 20, "t": 50, "b": 50},
        "legend": {"orientation": "h", "y": -0.25},
        "hoverlabel": {"namelength": -1},
        "height": 420,
        **axes,
        **rest,
    }


def _marker(place: int, size: int = 9) -> Figure:
    return {"color": COLOURS[place % len(COLOURS)], "symbol": SYMBOLS[place % len(SYMBOLS)], "size": size}


def by_setting(group: Group) -> Figure:
    """Each seed's score and their mean, one column per setting; the baseline as a line."""
    traces: list[Figure] = []
    labels = [escape(setting.label) for setting in group.settings]
    for place, (label, setting) in enumerate(zip(labels, group.settings, strict=True)):
        scores = setting.by_seed()
        hover = [f"seed {seed}: {score:.4f}" for seed, score in scores.items()]
        points = {"x": [label] * len(scores), "y": list(scores.values()), "text": hover, "hoverinfo": "text+x"}
        traces.append({"type": "scatter", "mode": "markers", "name": label, "marker": _marker(place), **points})
    means = [_mean(setting) for setting in group.settings]
    bar = {"symbol": "line-ew", "size": 26, "line": {"width": 2, "color": GRAY}}
    traces.append({"type": "scatter", "mode": "markers", "name": "mean", "x": labels, "y": means, "marker": bar})
    baseline = next((value for run in group.runs if (value := run.score(of="baseline")) is not None), None)
    shapes, notes = _level(baseline)
    return {
        "data": traces,
        "layout": layout(
            f"{group.metric} by setting, one point per seed",
            yaxis={"title": {"text": f"{group.metric} (test split)"}},
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


def against_cost(group: Group, cost: str) -> Figure:
    """Mean score against a setting's cost (a key of ``COSTS``), with the Pareto front."""
    known = [(place, one, one.cost(cost), _mean(one)) for place, one in enumerate(group.settings)]
    points = [(place, one, x, y) for place, one, x, y in known if x is not None and y is not None]
    front = [points[place] for place in pareto([(x, y) for _, _, x, y in points], group.mode)]
    step = {"shape": "hv", "color": GRAY, "dash": "dot", "width": 1}
    line = {"x": [x for _, _, x, _ in front], "y": [y for *_, y in front], "line": step, "hoverinfo": "skip"}
    traces: list[Figure] = [{"type": "scatter", "mode": "lines", "name": "Pareto front", **line}] if front else []
    for place, setting, x, y in points:
        mark = {"type": "scatter", "mode": "markers", "x": [x], "y": [y], "marker": _marker(place, 11)}
        traces.append({**mark, "name": escape(setting.label)})
    axes = {
        "xaxis": {"title": {"text": COSTS[cost]}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": group.metric}},
    }
    return {"data": traces, "layout": layout(f"{group.metric} and {COSTS[cost]}", **axes, height=440)}


def _mean(setting: Setting) -> float | None:
    scores = list(setting.by_seed().values())
    return sum(scores) / len(scores) if scores else None


def curves(group: Group) -> Figure:
    """The objective on validation by epoch, one line per run; below, the share of trainable parameters."""
    traces: list[Figure] = []
    drawn = 0
    for place, setting in enumerate(group.settings):
        label, colour = escape(setting.label), COLOURS[place % len(COLOURS)]
        for first, run in enumerate(setting.runs):
            if drawn == CURVES:
                break
            drawn += 1
            epochs, values = series(run)
            legend = {"name": label, "legendgroup": label, "showlegend": first == 0}
            line = {"type": "scatter", "mode": "lines", "line": {"color": colour, "width": 1.5}}
            both = {"raw": values, "smooth": smooth(values)}
            traces.append({**line, **legend, "x": epochs, "y": values, "meta": both, "text": escape(run.name)})
            if first == 0 and (schedule := run.schedule()):
                step = {"shape": "hv", "color": colour, "width": 2}
                share = {"x": [epoch for epoch, _ in schedule], "y": [100 * value for _, value in schedule]}
                traces.append({**line, **legend, "showlegend": False, "line": step, **share, "yaxis": "y2"})
    if drawn and (level := _baseline(group)) is not None:
        last = max((trace["x"][-1] for trace in traces if trace["x"]), default=0)
        dash = {"color": GRAY, "dash": "dash", "width": 1}
        line = {"type": "scatter", "mode": "lines", "name": "baseline", "line": dash}
        traces.append({**line, "x": [0, last], "y": [level, level]})
    drawn_of = f", {CURVES} of {len(group.runs)} runs" if drawn < len(group.runs) else ""
    return {
        "data": traces,
        "layout": layout(
            f"val/{group.metric} by epoch, one line per run{drawn_of}",
            xaxis={"title": {"text": "epoch"}, "anchor": "y2"},
            yaxis={"title": {"text": f"val/{group.metric}"}, "domain": [0.32, 1]},
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


def iou_against_dice(runs: Sequence[Run]) -> Figure | None:
    """One point per run, and the relation that holds for one box or mask; means over many images lie below it."""
    traces: list[Figure] = []
    pairs = (("box_iou", "box_dice"), ("miou", "mdice"), ("miou_image", "mdice_image"))
    for place, (iou, dice) in enumerate(pairs):
        both = [(run, run.score(iou), run.score(dice)) for run in runs]
        found = [(run, x, y) for run, x, y in both if x is not None and y is not None]
        if not found:
            continue
        points = {"x": [x for _, x, _ in found], "y": [y for _, _, y in found], "marker": _marker(place, 7)}
        text = [escape(run.name) for run, _, _ in found]
        traces.append({"type": "scatter", "mode": "markers", "name": f"{iou}, {dice}", "text": text, **points})
    if not traces:
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
            "type": "heatmap",
            "x": [escape(name.removeprefix(prefix)) for name in names],
            "y": [escape(setting.label) for setting in group.settings],
            "z": rows, "zmin": 0, "zmax": 1, "colorscale": "Cividis", "xgap": 1, "ygap": 1,
            "texttemplate": "%{z:.2f}" if len(names) * len(rows) <= 400 else "",
        }],
        "layout": layout(
            f"{BY_CLASS[kind]} of each class, mean over seeds",
            xaxis={"type": "category"}, yaxis={"type": "category", "autorange": "reversed"},
            height=160 + 28 * len(rows),
        ),
    }  # fmt: skip


def _class_mean(setting: Setting, metric: str) -> float | None:
    scores = list(setting.by_seed(metric).values())
    return sum(scores) / len(scores) if scores else None
