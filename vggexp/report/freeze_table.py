"""The effect of a freeze policy, as a table at the start of a run: one row per part."""

from rich.table import Table

from vggexp.learner.freezing import Freezing
from vggexp.report.console import console
from vggexp.report.epoch_ranges import epoch_ranges


def print_freezing(freezing: Freezing, name: str, epochs: int) -> None:
    """Print each part's parameters, how many of them train, in which epochs, and the factor on the learning rate."""
    out = console()
    out.print(f"freeze={name}", style="bold")
    out.print(freeze_table(freezing, epochs))
    if freezing.measuring and not freezing.constant:
        out.print("before anything is measured; a line says what then freezes or trains", style="dim")


def freeze_table(freezing: Freezing, epochs: int) -> Table:
    """One row per part; epochs count from 0, and may be "all" or "none"."""
    table = Table("part", box=None, pad_edge=False)
    for header in ("parameters", "train"):
        table.add_column(header, justify="right")
    table.add_column("in epochs")
    table.add_column("rate x", justify="right")
    parameters = freezing.parameters
    if freezing.constant:
        factors = [freezing.factors(0)] * epochs
    else:
        factors = [freezing.factors(epoch) for epoch in range(epochs)]
    for part, module in freezing.parts.items():
        own = {id(parameter) for parameter in module.parameters()}
        places = [place for place, (_, parameter) in enumerate(parameters) if id(parameter) in own]
        trains = [place for place in places if any(row[place] for row in factors)]
        when = [epoch for epoch, row in enumerate(factors) if any(row[place] for place in places)]
        rates = sorted({row[place] for row in factors for place in trains} - {0})
        size, trained = (sum(parameters[place][1].numel() for place in some) for some in (places, trains))
        table.add_row(
            part, f"{size:,}", f"{trained:,}", epoch_ranges(when, epochs), ", ".join(f"{r:.3g}" for r in rates)
        )
    return table
