"""``format=pdf`` and ``format=svg``: each group's scores as a vector figure of a column's width (extra: paper).

Matplotlib writes them: fonts are embedded in the PDF, and text stays text in the SVG.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vggexp.errors import ConfigError
from vggexp.report.compare import Group
from vggexp.report.palette import Accent, accents
from vggexp.report.scores import scores
from vggexp.report.student import half_width

WIDTH = 3.31
"""Of a column, inches (84 mm)."""
_ROW, _REST = 0.2, 0.75
"""Height of a setting's row and of axes and titles, inches."""
_STYLE: Any = {
    "font.size": 7, "axes.titlesize": 7, "axes.linewidth": 0.5, "xtick.major.width": 0.5, "ytick.major.width": 0,
    "pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "vggexp",
}  # fmt: skip


def write_figures(groups: Sequence[Group], folder: Path, suffix: str) -> list[Path]:
    """Write one file for each group, and return their paths.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError("figures for a paper need matplotlib: pip install 'vggexp[paper]'") from error
    folder.mkdir(parents=True, exist_ok=True)
    colours, written = accents(groups), []
    for place, group in enumerate(groups):
        with matplotlib.rc_context(_STYLE):
            figure = Figure(figsize=(WIDTH, _REST + _ROW * len(group.settings)), layout="constrained")
            _draw(figure, group, colours)
            path = folder / f"{place + 1}-{group.task}{suffix}"
            # Without a date the same runs give the same bytes.
            figure.savefig(path, metadata={"CreationDate": None} if suffix == ".pdf" else {"Date": None})
        written.append(path)
    return written


def _draw(figure: Any, group: Group, colours: dict[str, Accent]) -> None:
    """A panel for each of the first two scores: means with 95 % intervals, each repeat as a dot, the baseline."""
    shown = scores(group)[:2]
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    rows = range(len(group.settings))
    for panel, score in zip(panels, shown, strict=True):
        for row, setting in enumerate(group.settings):
            values = list(setting.by_seed(score.metric).values())
            if not values:
                continue
            colour, half = colours[setting.label].colour, half_width(values) or 0.0
            panel.plot(values, [row] * len(values), ".", color=colour, alpha=0.45, markersize=3, markeredgewidth=0)
            panel.errorbar(statistics.fmean(values), row, xerr=half, fmt="o", color=colour, markersize=3, linewidth=0.8)
        if score.baseline is not None:
            panel.axvline(score.baseline, color="0.4", linestyle=":", linewidth=0.7)
        panel.set_title(score.title)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_yticks(rows, [setting.label for setting in group.settings])
    panels[0].invert_yaxis()
