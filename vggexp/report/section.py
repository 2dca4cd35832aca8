"""A group's part of the page: its figures by tab, its tables of classes, its pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vggexp.report import diagnostic_figures, diagnostics, figures
from vggexp.report.album import Album
from vggexp.report.class_table import class_tables
from vggexp.report.compare import Group
from vggexp.report.confusions import confusions
from vggexp.report.curves import curves
from vggexp.report.figure_sentence import sentence
from vggexp.report.gallery import gallery, sheets
from vggexp.report.layout import Accents, Figure, Places
from vggexp.report.strips import strips


@dataclass(frozen=True)
class Canvas:
    """What all groups of a page share."""

    figures: dict[str, Figure]
    """By id; sections add theirs."""
    album: Album
    accents: Accents
    places: Places


def section(group: Group, name: str, canvas: Canvas, budget: int) -> dict[str, Any]:
    """A group's section; adds its figures and images to the canvas, of the images at most ``budget`` characters."""
    looked, note = diagnostics.of_group(group)
    shown = diagnostic_figures.drawn(looked)
    for figure in shown.values():
        figures.follow_settings(figure, group, canvas.accents)
    costs = {
        f"cost-{place}": figures.against_cost(group, cost, canvas.accents) for place, cost in enumerate(figures.COSTS)
    }
    compare = {"setting": figures.by_setting(group, canvas.accents, canvas.places), **costs}
    by_class = {kind: figures.by_class(group, kind) for kind in figures.BY_CLASS}
    where = {setting.label: place for place, setting in enumerate(group.settings)}
    return {
        "id": name,
        "name": f"{group.task.replace('_', ' ')} on {group.data}",
        "metric": group.metric,
        "figures": {
            "compare": _placed(compare, name, canvas),
            "curves": _placed({"curves": curves(group, canvas.accents, canvas.places)}, name, canvas),
            "classes": _placed({**by_class, **shown}, name, canvas),
        },
        "left_out": diagnostic_figures.left_out(looked, shown),
        "confused": confusions(looked),
        "by_class": class_tables(looked),
        "look": strips(gallery(looked, canvas.album, budget), where),
        "sheets": [] if looked else sheets(group, diagnostics.SETTINGS),
        "note": note,
    }


def _placed(found: Mapping[str, Figure | None], name: str, canvas: Canvas) -> list[dict[str, Any]]:
    """The ids, titles and summaries of the figures that there are; adds them to the canvas."""
    placed = []
    for kind, figure in found.items():
        if figure is None:
            continue
        own, key = figure["layout"], f"figure-{name}-{kind}"
        canvas.figures[key] = figure
        title = str(own.pop("title")["text"])
        words = {"id": key, "title": title, "kind": kind.partition("-")[0], "says": sentence(kind, figure)}
        cells = max((len(trace["x"]) for trace in figure["data"] if trace["type"] == "heatmap"), default=0)
        is_wide = kind in ("setting", "curves") or cells > 24
        picks = own.get("meta", {}).get("picks", [])
        placed.append({**words, "height": own["height"], "picks": picks, "wide": is_wide})
    return placed
