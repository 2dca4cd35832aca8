"""Sweeps that really train: a killed one goes on, and jobs run in other processes, several to a job if need be."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from vggexp.transfer.checkpoint import read_checkpoint

WORDS = (
    "backbone=vgg11_bn", "backbone.width=0.05", "data.image_size=[32,32]", "data.size=[16,30]", "head=linear",
    "trainer.gpus=0", "trainer.precision=32", "trainer.limit_train_batches=2", "trainer.limit_val_batches=1",
    "trainer.limit_test_batches=1", "callback=[]", "run.name=s${seed}",
)  # fmt: skip
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
ENVIRONMENT.pop("OMP_NUM_THREADS", None)


def start(*words: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "vggexp", "-m", *WORDS, *words]
    pipe = subprocess.PIPE
    own = ENVIRONMENT | environment
    return subprocess.Popen(command, env=own, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def swept(*words: str) -> tuple[int, str, str]:
    with start(*words) as parent:
        out, errors = parent.communicate(timeout=300)
    return parent.returncode, out, errors


def wait_for(happens: Callable[[], object]) -> None:
    deadline = time.monotonic() + 200
    while not happens():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def weights(folder: str) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = read_checkpoint(Path(folder, "checkpoint", "last.ckpt"))["state_dict"]
    return found


def summary(folder: str) -> dict[str, object]:
    return dict(json.loads(Path(folder, "summary.json").read_text()))


@pytest.mark.slow
def test_a_killed_sweep_goes_on_to_the_weights_it_would_have_had(vggexp: Callable[..., tuple[int, str, str]]) -> None:
    words = ("seed=1", "trainer.max_epochs=12")
    with start(*words, OMP_NUM_THREADS="1") as parent:  # as this process has: sums depend on it
        wait_for(Path("runs/s1/checkpoint/last.ckpt").exists)
        os.killpg(parent.pid, signal.SIGKILL)
    assert parent.returncode == -signal.SIGKILL
    assert not Path("runs/s1/summary.json").exists()
    code, out, errors = vggexp("-m", *WORDS, *words)
    assert code == 0, errors
    assert "runs/s1 was interrupted; resumes from its last checkpoint" in out
    assert vggexp(*WORDS, *words, "run.dir=whole")[0] == 0
    resumed, whole = weights("runs/s1"), weights("whole")
    assert [name for name in whole if not torch.equal(whole[name], resumed[name])] == []
    assert sum("val/top1" in line for line in Path("runs/s1/metrics.jsonl").read_text().splitlines()) == 12
    assert "runs/s1 is already finished; skipped" in vggexp("-m", *WORDS, *words)[1]


@pytest.mark.slow
def test_joblib_runs_two_jobs_at_once_on_half_of_the_cores_each() -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    launcher = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "trainer.max_epochs=1")
    named = "run.name=s${seed}-${trainer.accumulate}"
    code, out, errors = swept("seed=1,2", "trainer.accumulate=1,0", named, *launcher)
    assert code == 2, errors
    assert out.rstrip().endswith("sweep 4/4 · 2 failed")
    assert errors.count("trainer.accumulate=0 is not a whole number") == 2  # once a job, in the list at the end
    threads = max(len(os.sched_getaffinity(0)) // 2, 1)
    for name in ("s1-1", "s2-1"):
        assert summary(f"runs/{name}")["device"] == f"1 x CPU, {threads} threads"
        assert "parameters trained" in Path("runs", name, "output.txt").read_text()
    code, out, _ = swept("seed=1,2", named, *launcher)
    assert code == 0
    assert out.rstrip().endswith("sweep 2/2 · 2 skipped")


@pytest.mark.slow
def test_a_sweep_of_two_jobs_of_two_processes_each() -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    launcher = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "trainer.max_epochs=1", "trainer.processes=2")
    code, out, errors = swept("seed=1,2", *launcher, "logger=[wandb]", "logger.wandb.mode=offline")
    assert code == 0, errors
    assert out.rstrip().endswith("sweep 2/2")
    assert sorted(path.name for path in Path("runs").iterdir() if path.name.startswith("s")) == ["s1", "s2"]
    for name in ("s1", "s2"):
        assert str(summary(f"runs/{name}")["device"]).startswith("2 x CPU")
        assert len(list(Path("runs", name).rglob("*.wandb"))) == 1


@pytest.mark.slow
def test_submitit_runs_jobs_here_as_on_a_cluster() -> None:
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    code, out, errors = swept("seed=1,2", "hydra/launcher=submitit_local", "trainer.max_epochs=1")
    assert code == 0, errors
    assert out.rstrip().endswith("sweep 2/2")
    assert Path("runs/s2/summary.json").exists()


@pytest.mark.slow
def test_ctrl_c_ends_the_jobs_in_other_processes() -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    launcher = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "trainer.max_epochs=500")
    with start("seed=1,2", *launcher) as parent:
        wait_for(Path("runs/s1/checkpoint/last.ckpt").exists)
        os.killpg(parent.pid, signal.SIGINT)  # as a terminal does
        _, errors = parent.communicate(timeout=60)
    assert parent.returncode == 130
    assert "the same command skips finished jobs and continues" in errors
    epochs = len(Path("runs/s1/metrics.jsonl").read_text().splitlines())
    time.sleep(2)
    assert len(Path("runs/s1/metrics.jsonl").read_text().splitlines()) == epochs


@pytest.mark.slow
def test_a_killed_job_is_told() -> None:
    """Joblib gives up the jobs beside it; the same command goes on."""
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    launcher = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "trainer.max_epochs=500")
    with start("seed=1,2", *launcher) as parent:
        wait_for(Path("runs/s1/checkpoint/last.ckpt").exists)
        os.kill(int(json.loads(next(Path("runs/.sweep").rglob("0.json")).read_text())["process"]), signal.SIGKILL)
        _, errors = parent.communicate(timeout=60)
    assert parent.returncode == 1
    assert errors.count("vggexp: error: ") == 1
    assert "a job's process was killed (out of memory?): one of job 1 (seed=1), job 2 (seed=2)" in errors
    assert errors.rstrip().endswith("; the launcher ended all of them; the same command continues the sweep")
