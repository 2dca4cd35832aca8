"""A training whose numbers become NaN: what it says, how it ends, and what is kept."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vggexp.learner.learner import Learner
from vggexp.transfer.checkpoint import read_checkpoint

Vggexp = Callable[..., tuple[int, str, str]]
SMALL = ("head.hidden=8", "head.pool=1", "callback=[]", "baseline=false", "test=false", "run.dir=a")


def spoil(monkeypatch: pytest.MonkeyPatch, epoch: int, batch: int) -> None:
    """Make one loss NaN."""
    step = Learner.training_step

    def spoiled(self: Learner, batch_: Any, batch_idx: int) -> Any:
        if (self.current_epoch, batch_idx) == (epoch, batch):
            loss, outputs = self.task.loss, self.outputs(batch_)
            with monkeypatch.context() as patch:
                patch.setattr(self.task, "loss", lambda *_: {"loss": loss(outputs, batch_)["loss"] * float("nan")})
                return step(self, batch_, batch_idx)
        return step(self, batch_, batch_idx)

    monkeypatch.setattr(Learner, "training_step", spoiled)


def is_finite(folder: Path) -> bool:
    weights = read_checkpoint(folder / "checkpoint" / "last.ckpt")["state_dict"].values()
    return all(bool(one.isfinite().all()) for one in weights)


def test_stop(tiny: Vggexp, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, 1, 1)
    code, _, errors = tiny(*SMALL, "trainer.max_epochs=3")
    assert code == 1
    assert "epoch 2, batch 1, step 3: the loss is not finite at learning rate" in errors
    assert "; first not finite: " in errors
    assert "its batch: sample " in errors
    assert "not finite" in json.loads(Path("a/state.json").read_text())["failed"]
    assert is_finite(Path("a"))


@pytest.mark.parametrize(("on_nan", "said"), [("skip", "was skipped"), ("restore", "went back to the last checkpoint")])
def test_go_on(on_nan: str, said: str, tiny: Vggexp, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, 1, 0)
    code, out, errors = tiny(*SMALL, "trainer.max_epochs=3", f"trainer.on_nan={on_nan}")
    assert code == 0, errors
    assert said in out
    assert is_finite(Path("a"))


def test_a_rate_that_is_far_too_high(tiny: Vggexp) -> None:
    code, _, errors = tiny(*SMALL, "optimizer=sgd", "optimizer.lr=1e30", "scheduler=constant", "trainer.max_epochs=3")
    assert code == 1
    assert "not finite" in errors
    assert "Traceback" not in errors
