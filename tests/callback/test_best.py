"""An objective without a value says nothing of a run: not which epoch is best, nor that it stopped improving."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from vggexp.callback.best import Best, Patience
from vggexp.callback.progress import no_value
from vggexp.data.pets import Pets
from vggexp.transfer.checkpoint import read_checkpoint

NONE = math.nan


class Scripted(LightningModule):
    """Logs these values of its objective, one an epoch."""

    def __init__(self, values: Sequence[float]) -> None:
        super().__init__()
        self.layer, self.values = nn.Linear(2, 1), values

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        return self.layer(batch[0]).sum()

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        self.log("val/x", self.values[self.current_epoch])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.mark.parametrize("mode", ["max", "min"])
@pytest.mark.parametrize(
    ("values", "kept", "ran"),
    [
        ([NONE, NONE, NONE], 2, 3),  # the last epoch's, and never stopped
        ([NONE, 0.5, NONE], 1, 3),  # stopped by the NaN: the network had a value, and lost it
        ([NONE, 0.5, 0.5, 0.5, 0.5], 1, 4),  # patience counts from the first value
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_the_last_epoch_is_best_until_there_is_a_value(
    tmp_path: Path, mode: str, values: list[float], kept: int, ran: int
) -> None:
    best = Best(tmp_path, "best", monitor="val/x", mode=mode, save_weights_only=True, enable_version_counter=False)
    patience = Patience("val/x", mode, 2)
    trainer = Trainer(
        accelerator="cpu", max_epochs=len(values), callbacks=[patience, best], logger=False, num_sanity_val_steps=0,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    loader = DataLoader(TensorDataset(torch.ones(4, 2)), 4)
    trainer.fit(Scripted(values), loader, loader)
    assert torch.load(tmp_path / "best.ckpt", weights_only=True)["epoch"] == kept
    assert trainer.current_epoch == ran


def test_a_run_that_began_with_lightnings_own_callbacks_goes_on() -> None:
    assert Best(monitor="val/x").state_key.startswith("ModelCheckpoint{")
    assert Patience("val/x", "max", 1).state_key.startswith("EarlyStopping{")


def test_why_there_is_no_value() -> None:
    assert "has no value: the split has no ground truth for it; " in no_value("val/miou", NONE)
    assert "has no value: the network's outputs are no numbers; " in no_value("val/miou", 0.5)
    assert "no ground truth for it, or the network's outputs" in no_value("val/miou", None)


def test_a_validation_on_nothing_but_void(tree: Any, vggexp: Callable[..., tuple[int, str, str]]) -> None:
    held = Pets(".", eval_transform=[]).split("val", frozenset({"mask"}))
    names = held.reader.names  # type: ignore[attr-defined]
    for name in names[:4]:
        tree.write_trimap(name, np.full((tree.height, tree.width), 3))
    words = ("data=pets", "data.root=.", "data.image_size=[32,32]", "data.workers=0", "backbone=vgg11_bn",
             "backbone.width=0.05", "trainer.precision=32", "task=segmentation", "trainer.early_stopping=1",
             "trainer.max_epochs=3", "callback=[]", "run.dir=run", "data.batch_size=4",
             "trainer.limit_val_batches=1")  # fmt: skip
    code, out, errors = vggexp(*words)
    assert code == 0, errors
    line = "val/miou has no value: the split has no ground truth for it; until it has one, the last epoch counts as the"
    assert out.count(line) == 1
    summary = json.loads(Path("run/summary.json").read_text())
    assert (summary["epoch"], summary["objective"]["value"]) == (2, None)
    assert summary["metrics"]["train/loss"] is not None
    assert read_checkpoint(Path("run"))["epoch"] == 2
    assert vggexp("report", ".")[0] == 0
    for name in names:
        tree.write_trimap(name, np.full((tree.height, tree.width), 3))
    code, _, errors = vggexp(*words[:-3], "run.dir=none")
    assert (code, errors.count("\n")) == (1, 1)
    assert errors.startswith("vggexp: error: every pixel of every mask of val is void (255); there is nothing to")
    assert not Path("none").exists()


@pytest.mark.parametrize("schedule", ["plateau", "constant"])
def test_patience_is_in_epochs_whatever_the_epochs_between_validations(
    schedule: str, vggexp: Callable[..., tuple[int, str, str]], tiny: Callable[..., tuple[int, str, str]]
) -> None:
    """At a rate of zero nothing improves: validated in epochs 2, 4 and 6, of which the third is 4 epochs after 2."""
    words = ("head.hidden=8", "head.pool=1", "callback=[]", "baseline=false", "test=false", "trainer.val_every=2")
    still = ("optimizer.lr=1e-30", "optimizer.weight_decay=0", "backbone=vgg11")
    stop = ("trainer.early_stopping=4", "trainer.max_epochs=9", f"scheduler={schedule}", "run.dir=a")
    code, out, errors = tiny(*words, *still, *stop)
    assert code == 0, errors
    assert "stopped after epoch 6 (trainer.early_stopping): val/top1 has not improved for 4 epochs" in out
    code, _, errors = vggexp(f"scheduler={schedule}", "trainer.early_stopping=1", "trainer.limit_val_batches=0")
    assert (code, "trainer.limit_val_batches=0 validates nothing" in errors) == (2, True)


def test_a_run_that_was_moved_keeps_its_best_score(tmp_path: Path) -> None:
    before, after = (Best(tmp_path / name, "best", monitor="val/x", mode="max") for name in ("old", "new"))
    kept = str(tmp_path / "old" / "best.ckpt")
    before.best_model_score, before.kth_value = torch.tensor(0.9), torch.tensor(0.9)
    before.best_model_path = before.kth_best_model_path = kept
    before.best_k_models = {kept: torch.tensor(0.9)}
    after.load_state_dict(before.state_dict())
    assert after.best_model_score == 0.9
    assert after.best_k_models == {str(tmp_path / "new" / "best.ckpt"): torch.tensor(0.9)}
    assert after.best_model_path == after.kth_best_model_path == str(tmp_path / "new" / "best.ckpt")


def test_a_worse_epoch_of_a_moved_run_does_not_replace_the_best(
    train_tiny: Callable[..., Path], vggexp: Callable[..., tuple[int, str, str]]
) -> None:
    words = ("head.hidden=8", "head.pool=1", "callback=[]", "test=false", "trainer.max_epochs=1")
    folder = train_tiny(*words, name="a").rename("b")
    last = read_checkpoint(folder / "checkpoint" / "last.ckpt")
    (key,) = (key for key in last["callbacks"] if key.startswith("ModelCheckpoint"))
    state = last["callbacks"][key]
    state["best_model_score"] = state["kth_value"] = torch.tensor(2.0)  # no epoch is better
    state["best_k_models"] = dict.fromkeys(state["best_k_models"], torch.tensor(2.0))
    torch.save(last, folder / "checkpoint" / "last.ckpt")
    before = (folder / "checkpoint" / "best.ckpt").read_bytes()
    code, _, errors = vggexp("resume", "b", "trainer.max_epochs=2")
    assert code == 0, errors
    assert (folder / "checkpoint" / "best.ckpt").read_bytes() == before
