"""The plain table looks like rich's, and folds what is too wide."""

import io

from rich.console import Console
from rich.table import Table

from vggexp.report.plain_table import Column, table_lines

COLUMNS = [Column("run"), Column("task"), Column("score", is_number=True), Column("status")]
ROWS = [
    ["a", "segmentation", "0.500", "finished"],
    ["照片/b", "x", "-", ""],
    ["[bold]c[/]:smile:", "", "1,234.5", "ok"],
]


def test_it_is_rich_s_table() -> None:
    table = Table(box=None, pad_edge=False)
    for column in COLUMNS:
        table.add_column(column.head, justify="right" if column.is_number else "left")
    for row in ROWS:
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    out = io.StringIO()
    Console(file=out, width=100, emoji=False).print(table)
    theirs = [line.rstrip() for line in out.getvalue().splitlines()]
    assert [line.rstrip() for line in table_lines(COLUMNS, ROWS, 100)] == theirs


def test_text_is_folded_and_numbers_are_not() -> None:
    name = "runs/" + "long-" * 20
    lines = list(table_lines(COLUMNS, [[name, "classification", "123,456.789", "finished"]], 60))
    assert {len(line) for line in lines} == {60}
    width = len(lines[0][: lines[0].index("task")]) - 2
    assert "".join(line[:width].rstrip() for line in lines[1:]) == name
    assert "123,456.789" in lines[1]
