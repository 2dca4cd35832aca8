"""A run that was cut short and resumed ends in the weights, the metrics and the ledger of one that was not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from vggexp.learner.learner import Learner
from vggexp.transfer.checkpoint import read_checkpoint

Train = Callable[..., Path]
SMALL = ("head.hidden=8", "head.pool=1", "trainer.max_epochs=4", "trainer.limit_train_batches=3")


def slow(value: object) -> Any:
    """A case for the slow tests."""
    return pytest.param(value, marks=pytest.mark.slow)


def end(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = read_checkpoint(folder / "checkpoint" / "last.ckpt")["state_dict"]
    return found


def rows(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "time" and "train/" not in key} for row in lines]


def cut(monkeypatch: pytest.MonkeyPatch, epoch: int, batch: int) -> None:
    """Let the next training die at the start of a batch, as suddenly as an exception can."""
    start = Learner.on_train_batch_start

    def die(self: Learner, batch_: Any, batch_idx: int) -> None:
        if (self.current_epoch, batch_idx) == (epoch, batch):
            raise RuntimeError("killed")
        start(self, batch_, batch_idx)

    monkeypatch.setattr(Learner, "on_train_batch_start", die)


def compare(words: tuple[str, ...], place: tuple[int, int], train_tiny: Train, vggexp: Any) -> None:
    whole = train_tiny(*SMALL, *words, name="whole")
    with pytest.MonkeyPatch.context() as patch:
        cut(patch, *place)
        with pytest.raises(RuntimeError, match="killed"):
            train_tiny(*SMALL, *words, name="parts")
    code, _, errors = vggexp("resume", "parts")
    assert code == 0, errors
    a, b = end(whole), end(Path("parts"))
    assert [name for name in a if not torch.equal(a[name], b[name])] == []
    assert rows(Path("parts")) == rows(whole)
    assert (whole / "freeze.csv").read_text() == Path("parts/freeze.csv").read_text()
    one, other = (json.loads((folder / "summary.json").read_text()) for folder in (whole, Path("parts")))
    for summary in (one, other):  # Lightning forgets the losses of the batches before the cut: its epoch's mean differs
        summary["metrics"].pop("train/loss")
    for key in ("metrics", "baseline", "drift", "epoch", "trainable_parameters"):
        assert one[key] == other[key], key


@pytest.mark.parametrize("place", [slow((0, 1)), (1, 0), slow((2, 2)), slow((3, 1))])
@pytest.mark.parametrize("saved", [slow(()), ("trainer.save_every=1",)])
def test_from_any_epoch_of_a_schedule(
    place: tuple[int, int], saved: tuple[str, ...], train_tiny: Train, vggexp: Any
) -> None:
    compare(("freeze=gradual", *saved), place, train_tiny, vggexp)


@pytest.mark.parametrize(
    "words",
    [
        ("freeze=linear_probe", "freeze.epochs=2", "freeze.factor=0.1"),
        slow(("scheduler=plateau", "scheduler.patience=0")), slow(("scheduler=step", "scheduler.every=1")),
        ("trainer.ema=0.9",), slow(("mix=mixup_cutmix", "augment=light")),
        slow(("data.sampling=balanced", "data.workers=2")), slow(("data.workers=2",)), slow(("optimizer=sgd",)),
        slow(("trainer.early_stopping=5", "trainer.accumulate=2")),
    ],
)  # fmt: skip
def test_with_what_else_keeps_a_state(words: tuple[str, ...], train_tiny: Train, vggexp: Any) -> None:
    compare((*words, "trainer.save_every=1"), (2, 1), train_tiny, vggexp)


def test_a_finished_run_is_not_resumed(train_tiny: Train, vggexp: Any) -> None:
    train_tiny("head.hidden=8", "head.pool=1", name="whole")
    code, _, errors = vggexp("resume", "whole")
    assert code == 2
    assert "whole is finished" in errors
