"""A run's results, and a table of many, for a terminal."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from vggexp.run import RunFolder


def console() -> Console:
    """Standard output; 100 columns where it is not a terminal."""
    wide = Console(highlight=False)
    return wide if wide.is_terminal else Console(highlight=False, width=100)


def print_run(folder: RunFolder) -> None:
    """What a finished run reached, and where its files are."""
    summary = folder.read_summary()
    choice, out = summary["choice"], console()
    title = f"{choice['task']} on {choice['data']}: {choice['backbone']} + {choice['head']}, freeze={choice['freeze']}"
    out.print(scores_table(title, summary["metrics"], summary["constant"]))
    cost = f"{summary['trainable_parameters']:,} of {summary['parameters']:,} parameters trained"
    out.print(f"{cost} in {summary['seconds']:.0f} s, {summary['images_per_second']:.0f} images/s")
    out.print(f"{folder.path}", style="bold", soft_wrap=True)


def scores_table(title: str, metrics: Mapping[str, float], constant: Mapping[str, float]) -> Table:
    """Every metric but those of single classes: of each split ours, and the constant predictor's below it."""
    splits = [split for split in ("val", "test") if any(name.startswith(f"{split}/") for name in metrics)]
    names = [name for name in _names(metrics, splits[-1:]) if "/" not in name and not name.startswith("loss")]
    table = Table("split", "", *names, title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in table.columns[2:]:
        column.justify = "right"
    for split in splits:
        table.add_row(split, "ours", *(number(metrics.get(f"{split}/{name}")) for name in names))
        table.add_row("", "constant", *(number(constant.get(f"{split}/{name}")) for name in names), style="dim")
    return table


def _names(metrics: Mapping[str, float], splits: Iterable[str]) -> list[str]:
    return [name.removeprefix(f"{split}/") for split in splits for name in metrics if name.startswith(f"{split}/")]


def number(value: Any) -> str:
    """Three digits after the point; a dash for what is not there."""
    return "-" if value is None or value != value else f"{value:.3f}"


def print_runs(folders: Iterable[RunFolder]) -> None:
    """One row a run: its objective on the test split (on validation, if it was not tested) beside the constant's."""
    table = Table(box=None, pad_edge=False, title="runs", title_justify="left", title_style="bold")
    for name in ("run", "task", "head", "freeze", "metric"):
        table.add_column(name, overflow="fold")
    for name in ("ours", "constant", "trained", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    pictures = []
    for folder in folders:
        table.add_row(*_run_row(folder))
        pictures += sorted(folder.predictions.glob("test.png"))
    console().print(table)
    if pictures:
        print("\npictures, truth left, prediction right:")
        print("\n".join(f"  {path}" for path in pictures))


def _run_row(folder: RunFolder) -> list[str]:
    summary = folder.read_summary()
    choice, metrics, constant = summary["choice"], summary["metrics"], summary["constant"]
    name = summary["objective"]["metric"]
    tested = name.replace("val/", "test/")
    name = tested if tested in metrics else name
    scores = [number(metrics.get(name)), number(constant.get(name))]
    cost = [f"{summary['trainable_parameters']:,}", f"{summary['seconds']:.0f}"]
    return [str(folder.path), choice["task"], choice["head"], choice["freeze"], name, *scores, *cost]
