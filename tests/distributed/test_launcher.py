"""What the processes of a run are started with; that they train together is tested in e2e/test_processes.py."""

import os
from typing import Any

import pytest

from vggexp.distributed import launcher, processes


def threads_of(count: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """OMP_NUM_THREADS as each of so many processes would find it."""
    found = []
    monkeypatch.setattr(
        "torch.distributed.launcher.api.elastic_launch",
        lambda *_: lambda *_: found.append(os.environ["OMP_NUM_THREADS"]),
    )
    config: dict[str, Any] = {"trainer": {"nodes": 1, "rendezvous": None}}
    launcher.start(config, go_on=False, count=count)
    return found[0]


def test_processes_divide_the_cores_that_the_run_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not those of the machine: a container or a batch system may have given it fewer."""
    monkeypatch.setattr(os, "cpu_count", lambda: 96)
    monkeypatch.setattr(processes, "num_cores", lambda: 6)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for count, threads in ((2, "3"), (4, "1"), (8, "1")):  # as jobs of one sweep: none has the former one's
        assert threads_of(count, monkeypatch) == threads
    assert "OMP_NUM_THREADS" not in os.environ


def test_threads_that_the_user_has_set_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert threads_of(2, monkeypatch) == "5"
