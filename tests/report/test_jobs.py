"""What is under way: progress, time left and the log of running jobs and sweeps, bounded."""

import json
from pathlib import Path

from tests.report.conftest import MakeRun
from vggexp.report.jobs import JOBS, LINES, WIDEST, running_jobs, sweeps
from vggexp.report.runs import read_runs
from vggexp.sweep.journal import Entry, Journal, Plan


def test_a_job_says_how_far_it_is_and_what_it_logged(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("a", finished=False, epochs=2, planned=9)
    rows = [{"epoch": k, "time": 30.0 * (k + 1), "val/miou": k / 2, "val/iou/cat": 0.3} for k in range(2)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (job,) = running_jobs(read_runs(tmp_path / "runs"))
    assert (job["epochs"], job["planned"], job["best"], job["left"]) == (2, 9, "best miou 0.500", "about 4 min left")
    assert job["log"] == ["epoch 0  30 s  val/miou 0", "epoch 1  60 s  val/miou 0.5"]


def test_what_is_shown_is_bounded(make_run: MakeRun, tmp_path: Path) -> None:
    for place in range(JOBS + 2):
        make_run(f"{place}", finished=False, epochs=1, planned=9)
    row = {"epoch": 0} | {f"val/{name * 90}": 0.5 for name in "abcdefgh"}
    (tmp_path / "runs" / "0" / "metrics.jsonl").write_text((json.dumps(row) + "\n") * 200)
    jobs = running_jobs(read_runs(tmp_path / "runs"))
    assert len(jobs) == JOBS
    assert len(jobs[0]["log"]) == LINES
    assert max(map(len, jobs[0]["log"])) == WIDEST


def test_a_sweep_shows_its_jobs_until_it_has_ended(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "runs" / ".sweep" / "20261126-1")
    journal.begin(Plan(3, varies=("seed",)))
    journal.write(Entry(0, ("seed=1",), "done", "runs/a", seconds=60.0, score="val/top1 0.9"))
    journal.write(Entry(1, ("seed=2",), "failed", "runs/b", seconds=1.0, code=1, error="no space is left"))
    (sweep,) = sweeps(tmp_path)
    assert (sweep["ended"], sweep["jobs"]) == (2, 3)
    assert sweep["says"].startswith("sweep 2/3 · 1 failed")
    assert sweep["log"][0] == "job 1  seed=1  done in 60 s  val/top1 0.9  runs/a"
    assert "no space is left" in sweep["log"][1]
    journal.write(Entry(2, ("seed=3",), "done", "runs/c"))
    assert sweeps(tmp_path) == []
