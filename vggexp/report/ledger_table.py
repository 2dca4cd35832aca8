"""A network's ledger as a table: each part with its subtotal, and the totals below."""

from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vggexp.report.ledger import Ledger, Row


def table(ledger: Ledger) -> Table:
    """The ledger as a table; VGG16's fits into 80 columns."""
    grid = Table(box=box.HORIZONTALS, padding=0, show_edge=False, show_footer=True)
    grid.caption, grid.caption_justify = _totals(ledger), "left"
    totals = {"weights": f"{ledger.total('num_weights'):,}", "FLOP": human_flops(ledger.flops)}
    grid.add_column("layer", "total", overflow="fold")
    grid.add_column("kind", no_wrap=True)
    for header in ("output", "weights", "running", "FLOP", "field"):
        grid.add_column(header, totals.get(header, ""), justify="right", no_wrap=True)
    grid.add_column("frozen", no_wrap=True)
    for part, members in groupby(ledger.rows, key=lambda row: row.part):
        rows = list(members)
        for row in rows:
            grid.add_row(*_cells(row))
        weights, flops = sum(row.num_weights for row in rows), sum(row.flops for row in rows)
        grid.add_row(part, "", "", f"{weights:,}", "", human_flops(flops), style="bold", end_section=True)
    return grid


def _cells(row: Row) -> tuple[str, ...]:
    frozen = "part" if row.num_trainable else "yes"
    return (
        row.name.partition(".")[2],
        row.kind,
        "x".join(map(str, row.shape or ())),
        f"{row.num_weights:,}" if row.num_weights else "",
        f"{row.running:,}" if row.num_weights else "",
        human_flops(row.flops) if row.flops else "",
        str(row.field or ""),
        frozen if row.num_trainable < row.num_parameters else "",
    )


def _totals(ledger: Ledger) -> Text:
    parameters = ledger.total("num_parameters")
    share = f"{100 * ledger.dense_share:.1f} %"
    size = "x".join(map(str, ledger.image_size))
    lines = (
        f"{parameters:,} parameters ({ledger.total('num_weights'):,} without biases)",
        f"{ledger.total('num_trainable'):,} of them train",
        f"dense layers hold {ledger.num_dense:,} of {parameters:,} parameters ({share})",
        f"{human_flops(ledger.flops)}FLOP for an image of {size}, a multiply-add counts 2",
    )
    return Text("\n".join(lines), style="not italic not dim")


def human_flops(count: int) -> str:
    """Three significant digits and an SI prefix.

    >>> human_flops(30_932_992_000) + "FLOP"
    '30.9 GFLOP'
    """
    value, prefix = float(count), ""
    for larger in "kMGTP":
        if value < 999.5:
            break
        value, prefix = value / 1000, larger
    return f"{value:#.3g}".rstrip(".") + f" {prefix}"


def show(ledger: Ledger, console: Console | None = None) -> None:
    """Print the table; 100 columns wide in a file or a pipe, where rich assumes 80."""
    console = console or Console()
    if not console.is_terminal:
        console.width = 100
    console.print(table(ledger))
