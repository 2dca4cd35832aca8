"""Run folders are read as they are: finished, under way, broken."""

import os
import subprocess
import sys
import time
from pathlib import Path
from subprocess import PIPE

from tests.report.conftest import MakeRun
from vggexp.errors import DataError
from vggexp.logger.metrics_jsonl import MetricsJsonl
from vggexp.report.runs import best_row, read_runs


def test_runs_are_read_with_their_status(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("a")
    running, stopped = make_run("b", finished=False), make_run("c", finished=False)
    old = time.time() - 3600
    os.utime(stopped / "metrics.jsonl", (old, old))
    (make_run("d") / "summary.json").write_text("{ this is no JSON")
    (make_run("e", finished=False) / "metrics.jsonl").unlink()
    runs = read_runs(tmp_path / "runs")
    assert [(run.name, run.status.word) for run in runs] == [("a", "finished"), ("b", "running"), ("c", "stopped")]
    assert running.exists()


def standing(folder: Path) -> str:
    (run,) = read_runs(folder)
    return f"{run.status}: {run.status.why}" if run.status.why else str(run.status)


def test_a_pruned_run_is_no_finished_one(make_run: MakeRun) -> None:
    folder = make_run("a", epochs=2, planned=9, pruned=True)
    assert standing(folder) == "pruned, 2/9 epochs: its best was worse than the median of 5 finished runs"


def test_what_ended_a_run_is_known(make_run: MakeRun, tmp_path: Path) -> None:
    """Each ending as its process leaves it: with an error, by Ctrl-C, by a kill; and while it is under way."""
    folder = make_run("a", finished=False, epochs=2, planned=9)
    logger = MetricsJsonl(folder / "metrics.jsonl")
    assert standing(folder) == "running, 2/9 epochs"
    logger.close({}, DataError("cat.jpg is no image"))
    assert standing(folder) == "failed, 2/9 epochs: cat.jpg is no image"
    MetricsJsonl(folder / "metrics.jsonl").close({}, KeyboardInterrupt())
    assert standing(folder) == "stopped, 2/9 epochs: by Ctrl-C"
    program = (
        "import sys; from vggexp.run_folder import *; file = hold(RunFolder(sys.argv[1])); print(flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", program, folder], stdin=PIPE, stdout=PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        assert standing(folder) == "running, 2/9 epochs"
        process.kill()
    assert standing(folder) == "stopped, 2/9 epochs: its process is gone: was it killed, or out of memory?"
    MetricsJsonl(folder / "metrics.jsonl").close({})
    assert not (folder / "state.json").exists()


def test_a_run_on_another_machine_is_judged_by_its_rows(make_run: MakeRun) -> None:
    folder = make_run("a", finished=False, planned=9)
    (folder / "state.json").write_text('{"host": "another", "process": 1}')
    assert standing(folder) == "running, 3/9 epochs"
    old = time.time() - 3600
    os.utime(folder / "metrics.jsonl", (old, old))
    assert standing(folder).startswith("stopped, 3/9 epochs")


def test_a_run_that_failed_before_its_first_row_is_listed(make_run: MakeRun) -> None:
    folder = make_run("a", finished=False, planned=9)
    (folder / "metrics.jsonl").unlink()
    MetricsJsonl(folder / "metrics.jsonl").close({}, ValueError("loss is NaN"))
    assert standing(folder) == "failed, 0/9 epochs: ValueError: loss is NaN"


def test_an_unfinished_run_has_its_best_validation_score(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("a", 0.6, finished=False)
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 3, "val/miou": 0.2}\n{"epoch": 4, "val/mi')  # the last row is being written
    (run,) = read_runs(tmp_path / "runs")
    assert run.score() == 0.6
    assert run.score(of="baseline") is None
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


def test_without_a_value_the_last_validated_epoch_is_the_best() -> None:
    rows = [{"epoch": 0, "val/x": None}, {"epoch": 1, "val/x": None, "val/loss": 2.0}, {"epoch": 2, "train/loss": 7.0}]
    assert best_row(rows, "val/x", "min") == {"epoch": 1, "val/x": None, "val/loss": 2.0}
