"""The effect of a freeze policy, as a table at the start of a run: one row per part."""

from rich.table import Table

from vggexp.learner.freezing import Freezing
from vggexp.report.console import console
from vggexp.report.epoch_ranges import epoch_ranges

_AHEAD = 1000


def print_freezing(freezing: Freezing, name: str, epochs: int) -> None:
    """Print each part's parameters, how many of them train, in which epochs, and the factor on the learning rate."""
    out = console()
    out.print(f"freeze={name}", style="bold")
    out.print(freeze_table(freezing, epochs))
    for word, layers in freezing.without_effect(epochs).items():
        out.print(f"note: {word} has no effect: freeze={name} freezes no {layers} in its epochs", soft_wrap=True)
    if freezing.measuring and not freezing.constant:
        out.print("before anything is measured; a line says what then freezes or trains", style="dim")
    elif late := late_parts(freezing, epochs):
        out.print(
            f"note: with trainer.max_epochs={epochs} the run ends before freeze={name} trains {', '.join(late)}: give "
            f"at least {max(late.values()) + 1} epochs, or change the policy's keys"
        )


def late_parts(freezing: Freezing, epochs: int) -> dict[str, int]:
    """The parts that the policy would train only after the run has ended, with the first epoch in which it would.

    Epochs count from 0. Parts that never train, in ``_AHEAD`` further epochs, are left out.
    """
    if freezing.constant:
        return {}
    parts = {part: {id(one) for one in module.parameters()} for part, module in freezing.parts.items()}
    owners = [next(part for part, own in parts.items() if id(one) in own) for _, one in freezing.parameters]
    first: dict[str, int] = {}
    for epoch in range(epochs + _AHEAD):
        for part, factor in zip(owners, freezing.factors(epoch), strict=True):
            if factor:
                first.setdefault(part, epoch)
        if len(first) == len(parts):
            break
    return {part: first[part] for part in parts if first.get(part, 0) >= epochs}


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
