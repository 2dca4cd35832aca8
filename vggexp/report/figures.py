"""The page's figures, as plain dicts for plotly; all text that comes from runs is escaped.

``meta`` of a trace tells the page's script what the trace follows when somebody selects runs: ``run`` or ``runs``
(places in the page's list of runs, one a trace or one a point), ``setting`` or ``rows`` (places in the group's list of
settings), or what the script computes anew: ``mean``, ``point`` (a setting's cost and score), ``front``.
"""

from collections.abc import Sequence
from html import escape

from vggexp.report.compare import Group, Setting, pareto
from vggexp.report.heat_map import heat_map
from vggexp.report.layout import GRAY, Accents, Figure, Places, layout
from vggexp.report.palette import COLOURS, SYMBOLS, Accent
from vggexp.report.runs import Run
from vggexp.report.scores import title

COSTS = {"trainable_parameters": "trained parameters", "seconds": "seconds", "peak_memory_mib": "peak memory, MiB"}
BY_CLASS = {"iou": "IoU", "dice": "Dice", "ap": "average precision", "segm_ap": "average precision of masks"}
"""Scores of single classes, by the name before the slash in the metric."""
NUMBERED_TILES = 400
"""Maximum number of tiles that show their numbers: of more, the numbers are too small to read."""


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
        "data": heat_map(
            {
                "x": [escape(name.removeprefix(prefix)) for name in names],
                "y": [escape(setting.label) for setting in group.settings],
                "z": rows, "hovertemplate": "%{y}<br>%{x}: %{z:.3f}<extra></extra>",
            },
            is_numbered=len(names) * len(rows) <= NUMBERED_TILES,
            meta={"rows": list(range(len(group.settings)))},
        ),
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
