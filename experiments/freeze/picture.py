"""The study in one picture for a wall: what each policy costs in each task, with 95 % intervals.

python experiments/freeze/picture.py runs/freeze policies.png

A row is a policy, a panel a task; all panels have one scale, and an arrow marks an interval that leaves it.
"""

import sys
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from table import METRICS, TASKS, clear, difference, label, place, policies, reference, repeated, study

from vggexp.report.compare import Difference, Group

SIZE = (16.0, 9.0)
"""Inches, of a slide."""
DPI = 120
LOW, HIGH = -0.6, 0.2
"""The scale: a difference of scores between 0 and 1."""
WORSE, BETTER, UNCLEAR = "#c22f1d", "#0a7a56", "#8a8f98"
STYLE = {"font.size": 15, "axes.titlesize": 16, "axes.linewidth": 0.8}
WORDS = {
    "none, L2-SP": "everything, pulled to its start",
    "gradual": "head, then one stage after another",
    "auto": "everything, then less and less",
    "stage": "all but the first three stages",
    "linear_probe": "head for five epochs, then everything",
    "lora": "low-rank changes, and the head",
    "surgical": "the stage of largest gradient, head",
    "thaw": "head, then stages once it has settled",
    "backbone": "the head alone",
    "ssf": "scale and shift of channels, and the head",
    "norm": "normalization layers and the head",
    "bias": "biases and the head",
    "none, from scratch": "everything, from random weights",
}
"""What each policy trains."""
DATA = {"digits": "digits", "pets": "pets", "camvid": "CamVid", "bccd": "blood cells"}


def main() -> None:
    """Draw the runs below a folder into a file."""
    root, path = Path(sys.argv[1]), Path(sys.argv[2])
    found = study(root)
    names = policies(found)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout="constrained")
        panels = figure.subplots(1, len(found), sharey=True)
        for panel, group in zip(panels, found, strict=True):
            draw(panel, group, names)
        panels[0].set_yticks(range(len(names)), [f"$\\bf{{{bold(name)}}}$\n{WORDS.get(name, '')}" for name in names])
        panels[0].tick_params(axis="y", labelsize=13)
        panels[0].set_ylim(len(names) - 0.5, -0.5)
        figure.suptitle("What does freezing cost? Score minus that of training everything", fontsize=23, weight="bold")
        figure.supxlabel(
            "Three seeds, 95 % intervals.  Red: below zero, worse.  Grey, hollow: contains zero, cannot be told apart.",
            fontsize=15,
        )
        figure.savefig(path, dpi=DPI)


def bold(name: str) -> str:
    """The name in matplotlib's mathtext, which drops spaces and lowers what follows an underscore."""
    return name.replace("_", r"\_").replace(" ", r"\ ").replace("-", "{-}")


def draw(panel: Any, group: Group, names: list[str]) -> None:
    """One task: a dot and an interval for each policy."""
    for row in range(0, len(names), 2):
        panel.axhspan(row - 0.5, row + 0.5, color="#f1f3f5", linewidth=0)
    panel.axvline(0, color="black", linewidth=1.2)
    for setting in repeated(group):
        if label(setting) in names:
            interval(panel, names.index(label(setting)), difference(setting, group))
    data, _, task = place(group).partition("/")
    score = sum(reference(group).by_seed().values()) / len(reference(group).by_seed())
    panel.set_title(f"{DATA[data]}:\n{TASKS[task]}\n{METRICS[group.metric]} {score:.2f}")
    panel.set_xlim(LOW, HIGH)
    panel.set_xticks([-0.4, -0.2, 0], ["-0.4", "-0.2", "0"])
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.tick_params(axis="y", length=0)


def interval(panel: Any, row: int, found: Difference) -> None:
    """A dot, and a line over its interval, as far as the scale goes."""
    assert found.half_width is not None
    colour = UNCLEAR if not clear(found) else WORSE if found.mean < 0 else BETTER
    left, right = found.mean - found.half_width, found.mean + found.half_width
    panel.plot([max(left, LOW), min(right, HIGH)], [row, row], color=colour, linewidth=3.5, solid_capstyle="butt")
    panel.plot([min(max(found.mean, LOW), HIGH)], [row], "o", color=colour, markersize=11,
               markerfacecolor=colour if clear(found) else "white", markeredgewidth=2.5, clip_on=False)  # fmt: skip
    for end, outside, mark in ((LOW, left < LOW, "<"), (HIGH, right > HIGH, ">")):
        if outside:
            panel.plot([end], [row], mark, color=colour, markersize=9, clip_on=False)


if __name__ == "__main__":
    main()
