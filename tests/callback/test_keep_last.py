"""When ``last.ckpt`` is written: always if it is small, now and then if it is large, and in any case at the end."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from vggexp.callback import keep_last
from vggexp.callback.keep_last import KeepLast


class Noted(pl.LightningModule):
    """A weight, and the (epoch, step) of each checkpoint that was made of it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.written: list[tuple[int, int]] = []

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        return ((self.weight - batch) ** 2).mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.written.append((checkpoint["epoch"], checkpoint["global_step"]))


class StopAfter(pl.Callback):
    """Asks the trainer to stop, as early stopping does."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        trainer.should_stop = trainer.current_epoch == self.epoch


def written(path: Path, *others: pl.Callback, steps: int | None = None) -> list[tuple[int, int]]:
    """Of five epochs of two steps."""
    module = Noted()
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=5, logger=False, enable_checkpointing=True, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=path.parent, callbacks=[KeepLast(path, steps), *others],
    )  # fmt: skip
    trainer.fit(module, DataLoader(torch.ones(4, 1), 2))
    assert torch.load(path, weights_only=True)["global_step"] == module.written[-1][1]
    return module.written


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "last.ckpt"


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any checkpoint is large, and none is due again while this test runs."""
    monkeypatch.setattr(keep_last, "SMALL", 0)
    monkeypatch.setattr(keep_last, "SHARE", 1e-9)


def test_a_small_one_is_written_after_each_epoch(path: Path) -> None:
    assert [epoch for epoch, _ in written(path)] == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("large")
def test_a_large_one_waits_but_for_the_last_epoch(path: Path) -> None:
    assert [epoch for epoch, _ in written(path)] == [0, 4]


@pytest.mark.usefixtures("large")
def test_where_training_stops_early_it_is_written_too(path: Path) -> None:
    assert [epoch for epoch, _ in written(path, StopAfter(2))] == [0, 2]


@pytest.mark.usefixtures("large")
def test_a_large_one_is_due_again_once_writing_is_a_small_share(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_last, "SHARE", 1e9)
    assert [epoch for epoch, _ in written(path)] == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("large")
def test_what_was_asked_for_within_epochs_waits_for_nothing(path: Path) -> None:
    within = [(epoch, 2 * epoch + 1) for epoch in range(5)]
    assert written(path, steps=1) == [*within, (4, 10)]  # an epoch ends a moment after, and so without one
