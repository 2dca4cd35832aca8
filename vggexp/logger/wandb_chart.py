"""W&B charts of metrics and diagnostics: confusion matrix, curves, histogram, bars by class."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import wandb
from wandb.plot import bar, plot_table

from vggexp.task.diagnostics.confusion import cells

MOST_ROWS = 10_000
"""Maximum number of rows of a chart's table that W&B draws."""


def of_diagnostics(kind: str, diagnostics: Mapping[str, Any]) -> dict[str, Any]:
    """The charts of one task's diagnostics: ``chart/confusion``, ``chart/precision_recall``, ``chart/box_iou``.

    Args:
        kind: the task: "classification", "localization", ...; part of the chart's name.
        diagnostics: the output of the task's ``diagnostics``.
    """
    charts: dict[str, Any] = {}
    if "confusion" in diagnostics or "cells" in diagnostics:
        charts[f"chart/{kind}_confusion"] = confusion(diagnostics)
    if any(diagnostics.get("curve", ())):
        charts[f"chart/{kind}_precision_recall"] = precision_recall(diagnostics["curve"], diagnostics["classes"])
    if any(row["ap_50"] is not None for row in diagnostics.get("errors", ())):
        data = [[row["kind"], row["ap_50"], row["count"]] for row in diagnostics["errors"]]
        table = wandb.Table(columns=["kind", "ap_50", "count"], data=data)
        charts[f"chart/{kind}_errors"] = bar(table, "kind", "ap_50", "AP50 that mending errors of a kind would add")
    if "histogram" in diagnostics:
        counts = diagnostics["histogram"]
        edges = np.linspace(0, 1, len(counts) + 1)
        charts[f"chart/{kind}_iou"] = wandb.Histogram(np_histogram=(np.array(counts), edges))
    return charts


def confusion(diagnostics: Mapping[str, Any]) -> Any:
    """A confusion matrix of all cells; with very many classes, of the largest."""
    classes, counts = diagnostics["classes"], {cell[:2]: cell[2] for cell in cells(diagnostics)}
    places: Any = counts
    if len(classes) ** 2 <= MOST_ROWS:
        places = ((truth, guess) for truth in range(len(classes)) for guess in range(len(classes)))
    data = [[classes[truth], classes[guess], counts.get((truth, guess), 0)] for truth, guess in places]
    data = sorted(data, key=lambda cell: -cell[2])[:MOST_ROWS] if len(data) > MOST_ROWS else data
    table = wandb.Table(columns=["Actual", "Predicted", "nPredictions"], data=data)
    fields = {name: name for name in ("Actual", "Predicted", "nPredictions")}
    return plot_table("wandb/confusion_matrix/v1", table, fields, {"title": "Confusion matrix"})


def precision_recall(curves: list[Mapping[str, Any] | None], classes: list[str]) -> Any:
    """One curve per class that occurs, labelled with its average precision; thinned if there are very many."""
    found = [(name, curve) for name, curve in zip(classes, curves, strict=True) if curve]
    step = math.ceil(sum(len(curve["recall"]) for _, curve in found) / MOST_ROWS)
    data = [
        [f"{name} (AP {curve['average_precision']:.3f})", recall, precision]
        for name, curve in found
        for recall, precision in list(zip(curve["recall"], curve["precision"], strict=True))[::step]
    ]
    table = wandb.Table(columns=["class", "recall", "precision"], data=data)
    fields = {"x": "recall", "y": "precision", "class": "class"}
    return plot_table("wandb/area-under-curve/v0", table, fields, {"title": "Precision and recall"})


def by_class(metrics: Mapping[str, float]) -> dict[str, Any]:
    """For metrics such as ``test/iou/cat``: one bar chart per metric, and ``table/by_class`` of all, without NaNs.

    >>> sorted(by_class({"test/iou/cat": 0.5, "test/dice/cat": 0.7, "test/miou": 0.5}))
    ['chart/dice_by_class', 'chart/iou_by_class', 'table/by_class']
    """
    parts = [(name.split("/", 2), value) for name, value in metrics.items()]
    values = {(p[1], p[2]): value for p, value in parts if len(p) == 3 and p[0] == "test" and not math.isnan(value)}
    kinds, classes = (list(dict.fromkeys(key[place] for key in values)) for place in (0, 1))
    charts: dict[str, Any] = {}
    for kind in kinds:
        data = [[name, values[kind, name]] for name in classes if (kind, name) in values]
        charts[f"chart/{kind}_by_class"] = bar(wandb.Table(columns=["class", kind], data=data), "class", kind, kind)
    if kinds:
        rows = [[name, *(values.get((kind, name)) for kind in kinds)] for name in classes]
        charts["table/by_class"] = wandb.Table(columns=["class", *kinds], data=rows)
    return charts
