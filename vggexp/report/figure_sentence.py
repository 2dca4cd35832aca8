"""One sentence that says what a figure shows, computed from its data: for screen readers, for print, for a first look.

Where a figure's numbers follow the selection of runs, the page's script writes the sentence (``script/figures.js``).
"""

from collections.abc import Sequence
from html import unescape
from typing import Any

from vggexp.report.layout import Figure

_PICKS = 3
"""Maximum number of settings in a sentence."""


def sentence(kind: str, figure: Figure) -> str:
    """The sentence for a figure of this kind; "" for a kind without one, or if there is nothing to say."""
    traces = figure["data"]
    if not traces:
        return ""
    if kind in ("iou", "dice", "ap"):
        return _heat(traces[0])
    if kind.startswith("confusion"):
        return _confusion(figure)
    if kind == "curve":
        return _picks(figure)
    return _above(traces) if kind == "histogram" else ""


def _heat(trace: Figure) -> str:
    cells = [
        (value, name, label)
        for label, row in zip(trace["y"], trace["z"], strict=True)
        for name, value in zip(trace["x"], row, strict=True)
        if value is not None
    ]
    if not cells:
        return ""
    (low, *lowest), (high, *highest) = min(cells), max(cells)
    if low == high:
        return f"All classes have {low:.2f}."
    least, most = (f"{unescape(name)} in {unescape(label)}" for name, label in (lowest, highest))
    return f"Highest: class {most}, {high:.2f}. Lowest: class {least}, {low:.2f}."


def _confusion(figure: Figure) -> str:
    found = []
    for trace, pick in zip(figure["data"][:_PICKS], _labels(figure), strict=False):
        wrong = [
            (share, truth, guess)
            for truth, row in zip(trace["y"], trace["z"], strict=True)
            for guess, share in zip(trace["x"], row, strict=True)
            if truth != guess
        ]
        if wrong and (worst := max(wrong))[0] > 0:
            share, truth, guess = worst
            found.append(f"{pick}: {unescape(truth)} taken for {unescape(guess)} ({share:.0%} of the truth)")
    return f"Most frequent confusion of each setting: {'; '.join(found)}." if found else "Nothing is confused."


def _picks(figure: Figure) -> str:
    return f"Precision against recall of {'; '.join(_labels(figure)[:_PICKS])}."


def _labels(figure: Figure) -> list[str]:
    return [str(pick) for pick in figure["layout"].get("meta", {}).get("picks", [])]


def _above(traces: Sequence[Any]) -> str:
    """The share of the boxes above an IoU of 0.5, of each setting."""
    found = []
    for trace in traces[:_PICKS]:
        pairs = list(zip(trace["x"], trace["y"], strict=True))[:-1]  # the last edge repeats the last bin
        found.append(f"{unescape(trace['name'])} {sum(y for x, y in pairs if x >= 0.5):.0f} %")
    more = f", and {len(traces) - _PICKS} more settings" if len(traces) > _PICKS else ""
    return f"Boxes with an IoU above 0.5: {', '.join(found)}{more}."
