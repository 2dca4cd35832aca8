"""Jobs side by side divide the GPUs, and do not see each other's output."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vggexp.distributed import processes
from vggexp.sweep import resources as share
from vggexp.sweep.journal import Plan
from vggexp.sweep.resources import job_resources, take_gpus


def visible(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> str | None:
    """What a new process of the sweep may see."""
    monkeypatch.setattr(share, "_slots", [])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    take_gpus(Path(), plan)
    return os.environ.get("CUDA_VISIBLE_DEVICES")


def test_each_process_has_gpus_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, kept = Plan(8, 2, share=2, gpus=("0", "1", "2", "5")), []
    for expected in ("0,1", "2,5"):
        assert visible(monkeypatch, plan) == expected
        kept.append(share._slots)
        take_gpus(Path(), plan)  # its next job keeps them
        assert os.environ["CUDA_VISIBLE_DEVICES"] == expected
    os.close(kept[0][0])  # the first one's process has ended
    assert visible(monkeypatch, plan) == "0,1"


def test_without_gpus_or_neighbours_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert visible(monkeypatch, Plan(8, 2, share=2)) is None
    assert visible(monkeypatch, Plan(8, gpus=("0", "1"))) is None


def test_output_goes_to_a_file_of_the_run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with job_resources(Path(), Plan(2, 2, share=2, threads="7"), {"run": {"dir": "run"}}):
        os.write(1, b"ours\n")  # pytest has taken print
        subprocess.run([sys.executable, "-c", "print('a child')"], check=True)
    os.write(1, b"theirs\n")
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert capfd.readouterr().out == "theirs\n"
    assert Path("run/output.txt").read_text() == "ours\na child\n"


def test_processes_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "num_cores", lambda: 16)
    monkeypatch.setenv("OMP_NUM_THREADS", "16")
    with job_resources(Path(), Plan(4, 4, share=4), {"trainer": {"gpus": 0, "processes": 2}}):
        assert os.environ["OMP_NUM_THREADS"] == "2"
