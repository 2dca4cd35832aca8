"""Reads run folders for tables and the page: finished runs, and what unfinished runs have written so far."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from vggexp.config.fitted import unfitted
from vggexp.errors import kind_and_line
from vggexp.report.status import Status, of_finished, of_unfinished
from vggexp.run_folder import PREVIOUS, RunFolder
from vggexp.transfer.renamed import renew

Row = dict[str, Any]
Repeat = int | tuple[int, int]
"""Which repeat of its setting a run is: its seed; in a cross-validation its seed and its fold."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Run:
    """One run folder."""

    name: str
    """Its path below the folder that was read."""
    folder: RunFolder
    config: Mapping[str, Any]
    summary: Mapping[str, Any]
    """For an unfinished run: what its metrics.jsonl shows."""
    status: Status

    @cached_property
    def rows(self) -> list[Row]:
        """The rows of its metrics.jsonl."""
        return read_rows(self.folder)

    @cached_property
    def keys(self) -> dict[str, str]:
        """Its config as dotted keys and values as text."""
        found: dict[str, str] = {}
        _flatten(self.config, "", found)
        return found

    @cached_property
    def given(self) -> dict[str, str]:
        """The same without the values that the training found itself."""
        if all(value == "[]" for key, value in self.keys.items() if key.endswith("fitted")):
            return self.keys
        found: dict[str, str] = {}
        _flatten(unfitted(self.config), "", found)
        return found

    @property
    def choice(self) -> Mapping[str, Any]:
        """The chosen option of each group."""
        choice: Mapping[str, Any] = self.summary["choice"]
        return choice

    @property
    def seed(self) -> int:
        """Its seed."""
        return int(self.summary["seed"])

    @property
    def repeat(self) -> Repeat:
        """Its seed, with its fold if it has one."""
        fold = (self.config.get("data") or {}).get("fold")
        return self.seed if fold is None else (self.seed, int(fold))

    @property
    def metric(self) -> str:
        """The objective's name without its split, such as "miou"."""
        return str(self.summary["objective"]["metric"]).partition("/")[2]

    def score(self, metric: str | None = None, of: str = "metrics") -> float | None:
        """A metric (default: the objective) on test, or on validation if the run is not tested; None if missing."""
        values = self.summary[of]
        name = metric or self.metric
        found: float | None = values.get(f"test/{name}", values.get(f"val/{name}"))
        return found

    def schedule(self) -> list[tuple[int, float]]:
        """(epoch, share of trainable parameters) from freeze.csv."""
        rows = freeze_rows(self.folder)
        epochs = sorted({int(row["epoch"]) for row in rows})
        return [(epoch, _share([row for row in rows if int(row["epoch"]) == epoch])) for epoch in epochs]


def _flatten(config: Mapping[str, Any], prefix: str, found: dict[str, str]) -> None:
    for name, value in config.items():
        kind = type(value)
        if kind is str:
            found[prefix + name] = value
        elif value and (kind is dict or isinstance(value, Mapping)):
            _flatten(value, f"{prefix}{name}.", found)
        else:
            found[f"{prefix}{name}"] = "null" if value is None else str(value)


def _share(rows: Sequence[Mapping[str, str]]) -> float:
    total = sum(int(row["parameters"]) for row in rows)
    return sum(int(row["trainable"]) for row in rows) / total if total else 0.0


def read_runs(root: Path, damaged: dict[str, str] | None = None) -> list[Run]:
    """Every run at or below a folder, sorted by name, without folders that cannot be read.

    Args:
        damaged: what is wrong with a folder that holds a run, and cannot be read, is added to it, by name.
    """
    found = sorted(path.parent for path in root.rglob("config.yaml") if PREVIOUS not in path.parts)
    return [run for folder in found if (run := _read(folder, root, {} if damaged is None else damaged))]


def _read(path: Path, root: Path, damaged: dict[str, str]) -> Run | None:
    folder = RunFolder(path)
    name = str(path.relative_to(root)) if path != root else path.name
    try:
        summary = renew(folder.read_summary())
        config = renew(summary.pop("config", None) or yaml.load(folder.config.read_text(encoding="utf-8"), _LOADER))
        planned = int(config.get("trainer", {}).get("max_epochs") or 0)
        if {"choice", "objective", "metrics"} <= summary.keys():
            return Run(name, folder, config, summary, of_finished(summary, planned))
        if not (folder.metrics.exists() or folder.state.exists()):
            return None
        rows, metric = read_rows(folder), f"val/{config['objective']['metric']}"
        epochs = len({row["epoch"] for row in rows if metric in row})
        return Run(name, folder, config, _so_far(rows, config), of_unfinished(folder, epochs, planned))
    except Exception as error:  # a stranger's folder, or one that a kill or a full disk cut short, may hold anything
        if folder.holds_run():
            damaged[name] = kind_and_line(error)
        return None


def _so_far(rows: Sequence[Row], config: Mapping[str, Any]) -> Row:
    metric, mode = f"val/{config['objective']['metric']}", config["objective"]["mode"]
    best = best_row(rows, metric, mode)
    metrics = {name: value for name, value in best.items() if "/" in name}
    objective = {"metric": metric, "mode": mode, "value": best.get(metric)}
    return {
        "choice": config["choice"],
        "seed": config["seed"],
        "objective": objective,
        "metrics": metrics,
        "baseline": {},
    }


def read_rows(folder: RunFolder) -> list[Row]:
    """The rows of a run's metrics.jsonl, up to the first incomplete one, which may still be being written."""
    if not folder.metrics.exists():
        return []
    rows = []
    for line in folder.metrics.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(dict(json.loads(line)))
        except ValueError:
            break
    return rows


def freeze_rows(folder: RunFolder) -> list[dict[str, str]]:
    """The rows of a run's freeze.csv, without one that was cut short."""
    if not folder.freeze.exists():
        return []
    with folder.freeze.open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if None not in row.values()]


def best_row(rows: Iterable[Row], metric: str, mode: str) -> Row:
    """The row with the best objective, with that epoch's other values; {} if no epoch was validated.

    Of a run whose objective never had a value it is the last validated epoch's: the one whose checkpoint is kept.
    """
    rows = list(rows)
    validated = [row for row in rows if metric in row]
    if not validated:
        return {}
    scored = [row for row in validated if row[metric] is not None]
    best = (max if mode == "max" else min)(scored, key=lambda row: row[metric]) if scored else validated[-1]
    merged: Row = {}
    for row in rows:
        if row["epoch"] == best["epoch"]:
            merged |= row
    return merged
