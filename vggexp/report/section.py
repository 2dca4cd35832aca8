"""A group's section of the page: comparison of settings, their costs, curves, diagnostics, pictures."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from vggexp.report import diagnostic_figures, diagnostics, figures
from vggexp.report.album import Album
from vggexp.report.class_table import class_tables
from vggexp.report.compare import Group, Setting, paired_difference
from vggexp.report.confusions import confusions
from vggexp.report.gallery import gallery, sheets

REFERENCES = 12
"""Maximum number of settings to choose the reference from."""


def section(group: Group, name: str, drawn: dict[str, figures.Figure], album: Album, budget: int) -> dict[str, Any]:
    """A group's section; adds its figures to ``drawn`` and its images to ``album``."""
    looked, note = diagnostics.of_group(group)
    shown = diagnostic_figures.drawn(looked)
    rows: list[dict[str, figures.Figure | None]] = [
        {"setting": figures.by_setting(group)},
        # The cost figures stay side by side, even if one is empty.
        {f"cost-{place}": figures.against_cost(group, cost) for place, cost in enumerate(figures.COSTS)},
        {"curves": figures.curves(group)},
        *({kind: figures.by_class(group, kind)} for kind in figures.BY_CLASS),
        {**shown},
    ]
    if len(group.settings) == 1:
        del rows[1]
    references = [setting for setting in group.settings if setting.by_seed()][:REFERENCES]
    return {
        "id": name,
        "name": f"{group.task} on {group.data}",
        "metric": group.metric,
        "references": [setting.label for setting in references] if len(group.settings) > 1 else [],
        "table": [_comparison(setting, references) for setting in group.settings],
        "figure_rows": [placed for row in rows if (placed := _placed(row, f"figure-{name}", drawn))],
        "left_out": diagnostic_figures.left_out(looked, shown),
        "confused": confusions(looked),
        "by_class": class_tables(looked),
        "gallery": gallery(looked, album, budget),
        "sheets": [] if looked else sheets(group, diagnostics.SETTINGS),
        "diagnostics_note": note,
    }


def _placed(
    row: Mapping[str, figures.Figure | None], prefix: str, drawn: dict[str, figures.Figure]
) -> list[dict[str, Any]]:
    """The ids and titles of one row's figures; adds the figures to ``drawn``."""
    found = []
    for kind, figure in row.items():
        if figure is None:
            continue
        drawn[f"{prefix}-{kind}"] = figure
        own = figure["layout"]
        words = {"id": f"{prefix}-{kind}", "title": own["title"]["text"], "height": own["height"]}
        found.append({**words, "is_curves": kind == "curves", "picks": own.get("meta", {}).get("picks", [])})
    return found


def _comparison(setting: Setting, references: Sequence[Setting]) -> dict[str, Any]:
    scores = setting.by_seed()
    values = list(scores.values())
    costs = [setting.cost(name) for name in figures.COSTS]
    return {
        "label": setting.label,
        "seeds": len(values),
        "others": _others(setting),
        "mean": f"{statistics.fmean(values):.3f}" if values else "-",
        "sd": f"{statistics.stdev(values):.3f}" if len(values) > 1 else "-",
        "differences": [_difference(setting, reference) for reference in references],
        "costs": ["-" if cost is None else f"{cost:,.0f}" for cost in costs],
    }


def _others(setting: Setting) -> str:
    """The number of unfinished runs, by status; they do not count."""
    words = Counter(run.status.word for run in setting.runs)
    return ", ".join(f"{count} {word}" for word, count in words.items() if word != "finished")


def _difference(setting: Setting, reference: Setting) -> str:
    if setting is reference:
        return "reference"
    found = paired_difference(setting.by_seed(), reference.by_seed())
    if found is None:
        return "no common seed"
    if found.half_width is None:
        return f"{found.mean:+.3f} (one seed)"
    return f"{found.mean:+.3f} ± {found.half_width:.3f}"
