"""What ``soup`` tried, for a terminal."""

from collections.abc import Sequence
from typing import Protocol

from rich.table import Table

from vggexp.report.console import console


class Average(Protocol):
    """One average of runs."""

    @property
    def members(self) -> tuple[int, ...]:
        """The places of the averaged runs."""

    @property
    def score(self) -> float:
        """On the validation split."""

    @property
    def kept(self) -> bool:
        """Whether the greedy average went on from it."""


def print_soup(
    names: Sequence[str], singles: Sequence[float], uniform: Average, tried: Sequence[Average], metric: str
) -> None:  # fmt: skip
    """Print each run's score, the uniform average's, and how the greedy one grew."""
    table = Table("weights", box=None, pad_edge=False)
    table.add_column(metric, justify="right")
    table.add_column("")
    for name, value in zip(names, singles, strict=True):
        table.add_row(name, f"{value:.4f}", "")
    table.add_row(f"uniform: mean of all {len(names)}", f"{uniform.score:.4f}", "")
    for one in tried:
        what = f"greedy: {names[one.members[-1]]}" + (f" joins {len(one.members) - 1}" if len(one.members) > 1 else "")
        table.add_row(what, f"{one.score:.4f}", "kept" if one.kept else "left out")
    console().print(table)
