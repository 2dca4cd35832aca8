"""``logger=csv``: the rows of metrics.jsonl as a table, ``csv/metrics.csv``, one column a metric.

It is made anew from metrics.jsonl when a run goes on, so it has the rows from before.
"""

import csv
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities import rank_zero_only

from vggexp.distributed.processes import place_in_run
from vggexp.distributed.whole import whole
from vggexp.report.runs import read_rows
from vggexp.run_folder import RunFolder, plain


class CsvTable(Logger):
    """Writes each row at once, and the whole table again if a row brings a new column.

    Args:
        save_dir: the run folder.
    """

    def __init__(self, save_dir: Path) -> None:
        super().__init__()
        self._path = save_dir / "csv" / "metrics.csv"
        self._columns: list[str] = []
        self._rows = [_without_time(row) for row in read_rows(RunFolder(save_dir))]
        if self._rows and place_in_run()[0] == 0:
            self._write_all()

    @property
    def name(self) -> str:
        """The logger's name."""
        return "csv"

    @property
    def version(self) -> str:
        """Empty: a run folder has one table."""
        return ""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Append one row."""
        row = {"epoch": None, "step": step, **plain(dict(metrics))}
        self._rows.append(row)
        if not row.keys() <= set(self._columns):
            self._write_all()
            return
        with self._path.open("a", newline="", encoding="utf-8") as file:
            self._writer(file).writerow(row)

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Do nothing: config.yaml holds the hyperparameters."""

    def _write_all(self) -> None:
        found = dict.fromkeys(name for row in self._rows for name in row)
        self._columns = ["epoch", "step", *sorted(name for name in found if name not in ("epoch", "step"))]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with whole(self._path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = self._writer(file)
            writer.writeheader()
            writer.writerows(self._rows)

    def _writer(self, file: Any) -> "csv.DictWriter[str]":
        return csv.DictWriter(file, self._columns, lineterminator="\n")


def _without_time(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "time"}
