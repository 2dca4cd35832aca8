"""``last.ckpt``: where a run that is cut off goes on from."""

import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

SMALL = 2**24
"""Bytes of a checkpoint that is written after every epoch, however short the epochs are."""
SHARE = 0.1
"""What writing larger ones may take of a run's time. VGG16's dense layers and their momentum are a gigabyte; on cached
features an epoch of them takes a second, and writing as long."""


class KeepLast(Checkpoint):
    """Writes ``last.ckpt`` after an epoch, unless the previous one is large and was written a moment ago.

    So a run that is killed loses the epoch it was in, or ten times as long as a checkpoint takes to write, whichever is
    more. After the last epoch it is always written. It comes last among the callbacks, to hold their states.

    Args:
        path: of the checkpoint.
        steps: steps of the optimizer after which it is also written within an epoch; None: never. Not after an epoch's
            last batch: Lightning would resume from there without that epoch's validation.
    """

    def __init__(self, path: Path, steps: int | None = None) -> None:
        self._path, self._steps = path, steps
        self._due = 0.0

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Between two steps: no gradient is half gathered."""
        if self._steps is None or (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        if trainer.global_step % self._steps == 0 and batch_idx + 1 < trainer.num_training_batches:
            self._write(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """After the epoch's validation."""
        is_final = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        # The processes' clocks differ, and all must take part in writing.
        if is_final or trainer.strategy.broadcast(time.monotonic() >= self._due):
            self._write(trainer)

    def _write(self, trainer: pl.Trainer) -> None:
        start = time.monotonic()
        trainer.save_checkpoint(self._path)
        end = time.monotonic()
        is_large = self._path.exists() and self._path.stat().st_size > SMALL
        self._due = end + (end - start) / SHARE if is_large else 0.0
