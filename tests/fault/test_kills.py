"""Real trainings that are killed at random moments and resumed end in the weights of the run that never was."""

import json
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from vggexp.transfer.checkpoint import read_checkpoint

SETTINGS: dict[str, tuple[str, ...]] = {
    "gradual": ("freeze=gradual",),
    "within epochs": ("freeze=gradual", "trainer.save_every=1"),
    "average": ("trainer.ema=0.9", "trainer.save_every=2"),
    "accumulation": ("trainer.accumulate=2", "trainer.save_every=1"),
    "cache": ("freeze=stage", "freeze.stages=[1,2]", "data.train_transform=[]", "trainer.save_every=1"),
}
KINDS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
KILLS = [
    pytest.param(number, marks=pytest.mark.slow if number < 25 else [pytest.mark.slow, pytest.mark.long])
    for number in range(200)
]
_whole: dict[str, tuple[Any, float]] = {}


def ending(folder: Path) -> tuple[dict[str, torch.Tensor], list[dict[str, Any]], str]:
    """What a run ends in: weights, rows but for times and the interrupted epoch's mean loss, the freeze ledger."""
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    for row in rows:
        row.pop("time")
        row.update({key: None for key in row if key.startswith("train/")})
    weights = read_checkpoint(folder / "checkpoint" / "last.ckpt")["state_dict"]
    return weights, rows, (folder / "freeze.csv").read_text()


@pytest.mark.parametrize("number", KILLS)
def test_a_killed_run_goes_on(
    number: int, nursery: Any, small: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    draw = random.Random(number)
    name = list(SETTINGS)[number % len(SETTINGS)]
    words = (*small, *SETTINGS[name])
    if name not in _whole:
        folder, began = tmp_path_factory.mktemp("whole") / "run", time.monotonic()
        code, told = nursery.run(*words, f"run.dir={folder}")
        assert code == 0, told
        _whole[name] = ending(folder), time.monotonic() - began
    expected, seconds = _whole[name]
    kind = KINDS[draw.randrange(len(KINDS))]
    run = nursery.start(*words, "run.dir=run")
    time.sleep(draw.uniform(0, seconds))
    run.send(kind)
    assert run.wait() in (0, -int(kind), 128 + int(kind)), run.text  # 0: it had ended before
    if not Path("run/config.yaml").exists():  # it had not begun
        return
    if not Path("run/summary.json").exists():
        code, told = nursery.run("resume", "run")
        assert code == 0, told
    weights, rows, ledger = ending(Path("run"))
    assert [key for key in expected[0] if not torch.equal(expected[0][key], weights[key])] == []
    assert (rows, ledger) == expected[1:]
    left = [path for path in Path("run").rglob(".*") if path.name not in (".writer", ".lock", ".claim")]
    assert left == []


@pytest.mark.slow
def test_two_processes_whose_parent_is_killed(nursery: Any, small: tuple[str, ...]) -> None:
    """Its workers end with it, or they would go on to write a folder that somebody else may claim."""
    run = nursery.start(*small, "trainer.processes=2", "trainer.max_epochs=500", "run.dir=run")
    wait_for(Path("run/checkpoint/last.ckpt").exists)
    run.send(signal.SIGKILL)
    run.wait()
    time.sleep(2)
    rows = Path("run/metrics.jsonl").read_text()
    time.sleep(3)
    assert Path("run/metrics.jsonl").read_text() == rows
    epochs = len(rows.splitlines()) // 2 + 2
    code, told = nursery.run("resume", "run", f"trainer.max_epochs={epochs}")
    assert code == 0, told


def wait_for(happens: Callable[[], object]) -> None:
    deadline = time.monotonic() + 240
    while not happens():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)
