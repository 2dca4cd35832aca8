"""A table of many rows for a terminal: what rich's table without borders looks like, at a fiftieth of its time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells

_GAP = 2
"""Spaces between two columns."""
_LEAST, _LEAST_OF_ALL = 20, 8
"""Least width of the first column, before others are folded, and of every column."""


@dataclass(frozen=True)
class Column:
    """A column's heading, and how its cells are laid out."""

    head: str
    is_number: bool = False
    """Aligned to the right, and never folded."""


def table_lines(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """The heading's lines and each row's, of at most ``width`` cells if the columns of text can be folded that far."""
    table = [[column.head for column in columns], *rows]
    widths = _widths(columns, _natural(columns, rows), width)
    for row in table:
        if all(cell_len(cell) <= most for cell, most in zip(row, widths, strict=True)):
            yield _line(columns, row, widths)
            continue
        folded = [chop_cells(cell, most) or [""] for cell, most in zip(row, widths, strict=True)]
        for place in range(max(map(len, folded))):
            yield _line(columns, [part[place] if place < len(part) else "" for part in folded], widths)


def fits(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> bool:
    """Whether the table takes at most ``width`` cells without folding."""
    return sum(_natural(columns, rows)) + _GAP * (len(columns) - 1) <= width


def _natural(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    """The width of each column without folding."""
    return [max(map(cell_len, cells)) for cells in zip([column.head for column in columns], *rows, strict=True)]


def _widths(columns: Sequence[Column], widths: list[int], width: int) -> list[int]:
    """Narrow columns of text until the table fits: the first one, which has paths, then always the widest."""
    foldable = [place for place, column in enumerate(columns) if not column.is_number]
    for _ in range(sum(widths) + _GAP * (len(widths) - 1) - width):
        place = 0 if widths[0] > _LEAST else max(foldable, key=widths.__getitem__)
        if widths[place] <= _LEAST_OF_ALL:
            break
        widths[place] -= 1
    return widths


def _line(columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int]) -> str:
    return (" " * _GAP).join(
        " " * (most - cell_len(cell)) + cell if column.is_number else cell + " " * (most - cell_len(cell))
        for column, cell, most in zip(columns, cells, widths, strict=True)
    )
