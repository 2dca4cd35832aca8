"""The scores of each class as a table, where an image may show several classes: there are no confusions to count."""

from collections.abc import Sequence
from typing import Any

from vggexp.report.diagnostics import Diagnostics

COLUMNS = {
    "shown": "images", "predicted": "predicted", "precision": "precision", "recall": "recall", "f1": "F1",
    "average_precision": "average precision",
}  # fmt: skip
"""By key of a class's row: the heading of its column."""


def class_tables(found: Sequence[Diagnostics]) -> list[dict[str, Any]]:
    """A table for each setting whose diagnostics have rows by class, in the order of the classes."""
    tables = []
    for one in found:
        for part in one.kinds.values():
            if "by_class" in part:
                rows = [
                    (name, [_text(row.get(key)) for key in COLUMNS])
                    for name, row in zip(part["classes"], part["by_class"], strict=True)
                ]
                tables.append({"label": one.setting.label, "columns": list(COLUMNS.values()), "rows": rows})
    return tables


def _text(value: float | None) -> str:
    """A count as it is, a score with three decimals, a dash for none."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
