"""A run's results for a terminal."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from vggexp.run_folder import RunFolder


def console() -> Console:
    """A console on standard output, 100 columns wide if that is not a terminal."""
    wide = Console(highlight=False)
    return wide if wide.is_terminal else Console(highlight=False, width=100)


def print_run(folder: RunFolder) -> None:
    """Print the scores and cost of a finished run, and its folder."""
    summary = folder.read_summary()
    choice, out = summary["choice"], console()
    title = f"{choice['task']} on {choice['data']}: {choice['backbone']} + {choice['head']}, freeze={choice['freeze']}"
    print_scores(title, summary["metrics"], summary["baseline"])
    cost = f"{summary['trainable_parameters']:,} of {summary['parameters']:,} parameters trained"
    out.print(f"{cost} in {summary['seconds']:.0f} s, {summary['images_per_second']:.0f} images/s")
    out.print(f"{folder.path}", style="bold", soft_wrap=True)


def print_scores(title: str, metrics: Mapping[str, float], baseline: Mapping[str, float]) -> None:
    """Print a title and the table of scores."""
    out = console()
    out.print(f"\n{title}", style="bold", soft_wrap=True)
    out.print(scores_table(metrics, baseline))


def scores_table(metrics: Mapping[str, float], baseline: Mapping[str, float]) -> Table:
    """Every metric except those of single classes: for each split the run's value, and the baseline's beside it."""
    splits = [split for split in ("val", "test") if any(name.startswith(f"{split}/") for name in metrics)]
    table = Table("metric", box=None, pad_edge=False)
    for split in splits:
        table.add_column(split, justify="right")
        table.add_column("baseline", justify="right", style="dim")
    for name in _names(metrics, splits):
        pairs = [(metrics.get(f"{split}/{name}"), baseline.get(f"{split}/{name}")) for split in splits]
        table.add_row(name, *(number(value) for pair in pairs for value in pair))
    return table


def _names(metrics: Mapping[str, float], splits: Iterable[str]) -> list[str]:
    """The metrics' names without their split, each once, without losses and single classes (a slash)."""
    found = [name.removeprefix(f"{split}/") for split in splits for name in metrics if name.startswith(f"{split}/")]
    return [name for name in dict.fromkeys(found) if "/" not in name and not name.startswith("loss")]


def print_graft(folder: RunFolder, singles: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the merged run's test scores beside those of the single runs."""
    joined = folder.read_summary()["metrics"]
    table = Table("metric", "run", box=None, pad_edge=False)
    table.add_column("alone", justify="right")
    table.add_column("joined", justify="right")
    for name, summary in singles.items():
        for metric in _names(summary.get("metrics", {}), ("test",)):
            found = (scores[f"test/{metric}"] for scores in (summary["metrics"], joined))
            values = ("-" if value is None else f"{value:.6f}" for value in found)
            table.add_row(f"test/{metric}", name, *values)
    console().print(table)
    console().print(f"{folder.path}", style="bold", soft_wrap=True)


def number(value: Any) -> str:
    """Three decimals; a dash for a missing value."""
    return "-" if value is None or value != value else f"{value:.3f}"
