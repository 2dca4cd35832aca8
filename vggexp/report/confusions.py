"""The most frequent confusions as a table: with many classes a matrix is illegible, or too large for the page."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from vggexp.report.diagnostics import Diagnostics
from vggexp.task.diagnostics.confusion import cells

LEGIBLE = 12
"""Maximum number of classes whose matrix shows its numbers in the cells, so that it needs no table."""
ROWS = 10
UNITS = {
    "classification": "images", "segmentation": "pixels", "detection": "objects", "instance_segmentation": "objects",
}  # fmt: skip
"""What the confusions of each task count."""


def confusions(found: Sequence[Diagnostics]) -> list[dict[str, Any]]:
    """For each setting with over ``LEGIBLE`` classes: the most frequent confusions and the classes of lowest AP."""
    tables = []
    for one in found:
        for kind, unit in UNITS.items():
            part = one.kinds.get(kind)
            if part is None or len(part["classes"]) <= LEGIBLE:
                continue
            pairs = _pairs(part)
            tables.append({
                "label": one.setting.label,
                "unit": unit,
                "pairs": pairs[:ROWS],
                "more": max(0, len(pairs) - ROWS),
                "lowest": _lowest(part),
            })  # fmt: skip
    return tables


def _pairs(part: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """(truth, predicted, count, share of the truth) for all confusions, the most frequent first."""
    counts, names = cells(part), part["classes"]
    totals: dict[int, int] = defaultdict(int)
    for truth, _, count in counts:
        totals[truth] += count
    errors = sorted((cell for cell in counts if cell[0] != cell[1]), key=lambda cell: (-cell[2], cell[:2]))
    return [
        (names[truth], names[guess], f"{count:,}", f"{count / totals[truth]:.1%}") for truth, guess, count in errors
    ]


def _lowest(part: dict[str, Any]) -> list[tuple[str, str]]:
    """The classes with the lowest average precision."""
    pairs = zip(part["classes"], part.get("curve", ()), strict=False)
    known = sorted((curve["average_precision"], name) for name, curve in pairs if curve)
    return [(name, f"{value:.3f}") for value, name in known[:ROWS]]
