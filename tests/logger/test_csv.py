"""The table of logger=csv: every row of metrics.jsonl, also those from before a resume."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

SMALL = ("head.hidden=8", "head.pool=1", "callback=[]", "baseline=false", "test=false", "logger=csv")


def rows(folder: Path) -> list[dict[str, float]]:
    with (folder / "csv" / "metrics.csv").open() as file:
        return [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]


def log(folder: Path) -> list[dict[str, float]]:
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "time" and value is not None} for row in found]


def test_a_resumed_run_keeps_the_rows_from_before(train_tiny: Callable[..., Path], vggexp: object) -> None:
    folder = train_tiny(*SMALL)
    assert rows(folder) == log(folder)
    before = len(log(folder))
    assert vggexp("resume", "run", "trainer.max_epochs=2")[0] == 0  # type: ignore[operator]
    assert len(log(folder)) > before
    assert rows(folder) == log(folder)
