"""Run folders are read as they are: finished, under way, broken."""

import os
import time
from pathlib import Path

from tests.report.conftest import MakeRun
from vggexp.report.runs import best_row, read_runs


def test_runs_are_read_with_their_status(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("a")
    running, stopped = make_run("b", finished=False), make_run("c", finished=False)
    old = time.time() - 3600
    os.utime(stopped / "metrics.jsonl", (old, old))
    (make_run("d") / "summary.json").write_text("{ this is no JSON")
    (make_run("e", finished=False) / "metrics.jsonl").unlink()
    runs = read_runs(tmp_path / "runs")
    assert [(run.name, run.status) for run in runs] == [("a", "finished"), ("b", "running"), ("c", "stopped")]
    assert running.exists()


def test_an_unfinished_run_has_its_best_validation_score(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("a", 0.6, finished=False)
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 3, "val/miou": 0.2}\n{"epoch": 4, "val/mi')  # the last row is being written
    (run,) = read_runs(tmp_path / "runs")
    assert run.score() == 0.6
    assert run.score(of="constant") is None
    assert len(run.rows) == 4


def test_what_an_overwritten_run_set_aside_is_no_run(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("a")
    make_run("a/.previous")
    assert [run.name for run in read_runs(tmp_path / "runs")] == ["a"]


def test_the_schedule_is_the_share_that_trains(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("a", freeze="backbone")
    (run,) = read_runs(tmp_path / "runs")
    assert run.schedule() == [(0, 0.1), (1, 0.1), (2, 0.1)]


def test_the_best_row_has_its_whole_epoch() -> None:
    rows = [{"epoch": 0, "val/x": 3.0}, {"epoch": 1, "val/x": 1.0}, {"epoch": 1, "train/loss": 7.0}]
    assert best_row(rows, "val/x", "min") == {"epoch": 1, "val/x": 1.0, "train/loss": 7.0}
    assert best_row(rows, "val/y", "min") == {}
