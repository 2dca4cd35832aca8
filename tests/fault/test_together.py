"""Two processes that share a run: a NaN in one of them, and signals, concern both."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from vggexp.transfer.checkpoint import read_checkpoint

pytestmark = pytest.mark.slow
TWO = ("trainer.processes=2", "data.batch_size=2", "trainer.limit_train_batches=40", "trainer.max_epochs=3")
SPOILED = """
import os
from vggexp.loss.cross_entropy import CrossEntropy

class Spoiled(CrossEntropy):
    calls = 0

    def forward(self, outputs, target):
        loss = super().forward(outputs, target)
        self.calls += self.training
        spoils = self.training and self.calls in {calls} and os.environ["RANK"] in {ranks}
        return loss * float("nan") if spoils else loss
"""


def ending(folder: Path) -> tuple[dict[str, torch.Tensor], list[dict[str, Any]]]:
    """What a run ends in: weights, and rows but for times and mean losses of training."""
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    left_out = ("time", "train/loss")
    state = read_checkpoint(folder / "checkpoint" / "last.ckpt")["state_dict"]
    return state, [{key: value for key, value in row.items() if key not in left_out} for row in rows]


def assert_equal(one: Path, other: Path) -> None:
    (state, rows), (expected, others) = ending(one), ending(other)
    assert [key for key in expected if not torch.equal(state[key], expected[key])] == []
    assert rows == others


def wait_for(happens: Callable[[], object]) -> None:
    deadline = time.monotonic() + 240
    while not happens():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def spoil(ranks: str, calls: tuple[int, ...]) -> tuple[str, ...]:
    """Words for a loss that is NaN in these processes, at these steps."""
    Path("spoil.py").write_text(SPOILED.format(ranks=tuple(ranks), calls=calls))
    return ("loss._target_=spoil.Spoiled", "trainer.limit_train_batches=6")


@pytest.mark.parametrize("more", [(), ("trainer.accumulate=2",), ("freeze=gradual", "trainer.ema=0.9")])
def test_one_skips_and_all_skip(more: tuple[str, ...], nursery: Any, small: tuple[str, ...]) -> None:
    """The run ends as if the batch had been NaN in both processes."""
    for folder, ranks in (("one", "1"), ("both", "01")):
        words = spoil(ranks, (3, 9, 10))  # with accumulation, one of a step's batches, and both
        code, told = nursery.run(*small, *TWO, *words, *more, "trainer.on_nan=skip", f"run.dir={folder}")
        assert code == 0, told
        assert told.count("the loss is not finite; the batch was skipped") == 3
    assert_equal(Path("one"), Path("both"))
    assert all(bool(value.isfinite().all()) for value in ending(Path("one"))[0].values())


def test_one_goes_back_and_all_go_back(nursery: Any, small: tuple[str, ...]) -> None:
    words = spoil("1", (9,))
    code, told = nursery.run(*small, *TWO, *words, "trainer.on_nan=restore", "trainer.ema=0.9", "run.dir=run")
    assert code == 0, told
    assert told.count("went back to the last checkpoint") == 1
    assert "epoch 2, batch 2, step 8: the loss is not finite" in told
    assert all(bool(value.isfinite().all()) for value in ending(Path("run"))[0].values())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_writes_a_checkpoint_that_the_run_goes_on_from(
    number: int, nursery: Any, small: tuple[str, ...]
) -> None:
    words = (*small, *TWO, "freeze=gradual")
    code, told = nursery.run(*words, "run.dir=whole")
    assert code == 0, told
    run = nursery.start(*words, "run.dir=run")
    last = Path("run/checkpoint/last.ckpt")
    wait_for(last.exists)
    before = last.stat().st_mtime_ns
    run.send(number)
    if number == signal.SIGTERM:
        assert run.wait() == 143, run.text
        assert "SIGTERM: last.ckpt was written at step " in run.text
    else:
        wait_for(lambda: last.stat().st_mtime_ns != before)
        run.send(signal.SIGKILL)
        run.wait()
        time.sleep(1)  # its workers end with it
    code, told = nursery.run("resume", "run")
    assert code == 0, told
    assert_equal(Path("run"), Path("whole"))


def test_both_take_the_batch_that_was_found(nursery: Any, small: tuple[str, ...]) -> None:
    words = [word for word in TWO if "batch_size" not in word]
    code, told = nursery.run(*small, *words, "trainer.effective_batch=8", "data.batch_size=auto", "run.dir=run")
    assert code == 0, told
    assert told.count("data.batch_size=auto: 4 (trainer.effective_batch=8;") == 1
    assert yaml.safe_load(Path("run/config.yaml").read_text())["data"]["batch_size"] == 4
