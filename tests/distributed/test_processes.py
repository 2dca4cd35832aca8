"""How many processes a run has, and how SLURM's words for a process become torchrun's."""

from pathlib import Path
from typing import Any

import pytest
from torch import distributed

from vggexp.distributed import processes
from vggexp.distributed.processes import adopt_slurm, first_host, leave, place_in_run, to_start, world_size

SLURM = {
    "SLURM_STEP_NUM_TASKS": "8",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
    "SLURM_STEP_TASKS_PER_NODE": "4(x2)",
    "SLURM_STEP_NODELIST": "gpu[07-08]",
    "SLURM_JOB_ID": "123456",
}
PLACE = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PLACE, *SLURM):
        monkeypatch.setenv(name, "")  # so that what a test sets is taken back
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("present", "trainer", "start"),
    [
        (0, {"gpus": None}, 0),
        (1, {"gpus": None}, 0),
        (4, {"gpus": None}, 4),
        (4, {"gpus": 2}, 2),
        (4, {"gpus": 0}, 0),
        (0, {"gpus": 0, "processes": 2}, 2),
        (1, {"gpus": 1, "nodes": 2}, 1),
    ],
)
def test_processes_to_start(present: int, trainer: dict[str, Any], start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "num_gpus", lambda: present)
    assert to_start({"trainer": trainer}) == start
    assert world_size(trainer) == max(start, 1) * trainer.get("nodes", 1)


def test_a_process_that_was_started_starts_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert to_start({"trainer": {"gpus": 4}}) == 0
    assert world_size({"gpus": 4}) == 4


def test_under_srun_a_process_takes_slurms_place(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    adopt_slurm()
    found = {name: processes.os.environ[name] for name in PLACE}
    assert found == dict(zip(PLACE, ("5", "1", "8", "4", "gpu07", "18456"), strict=True))
    assert place_in_run() == (5, 8)


def test_in_a_batch_script_without_srun_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_NTASKS", "8")
    monkeypatch.setenv("SLURM_PROCID", "0")
    adopt_slurm()
    assert place_in_run() == (0, 1)


@pytest.mark.parametrize(("hosts", "first"), [("a", "a"), ("a,b", "a"), ("n[1-4]", "n1"), ("n[09,11],m2", "n09")])
def test_the_first_host(hosts: str, first: str) -> None:
    assert first_host(hosts) == first


@pytest.mark.parametrize(("quota", "cores"), [("max 100000", 6), ("250000 100000", 2), ("50000 100000", 1), ("", 6)])
def test_cores_are_those_that_affinity_and_quota_leave(
    quota: str, cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(6)))
    (tmp_path / "cpu.max").write_text(quota)
    assert processes.num_cores(tmp_path / "cpu.max") == cores
    assert processes.num_cores(tmp_path / "none") == 6


@pytest.mark.parametrize(("cores", "here", "workers"), [(8, 1, 8), (8, 4, 2), (2, 4, 1), (96, 1, 16), (96, 8, 12)])
def test_processes_of_a_run_divide_the_cores(
    cores: int, here: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "num_cores", lambda: cores)
    monkeypatch.setenv("WORLD_SIZE", "16")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(here))
    assert processes.num_workers() == workers


def test_a_process_leaves_the_group_that_it_is_in_and_no_other(tmp_path: Path) -> None:
    leave()
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'group'}", rank=0, world_size=1)
    leave()
    assert not distributed.is_initialized()
