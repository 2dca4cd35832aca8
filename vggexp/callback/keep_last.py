"""Writes ``last.ckpt``, the checkpoint that an interrupted run resumes from."""

import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

SMALL = 2**24
"""Checkpoints up to this size, in bytes, are written after every epoch."""
SHARE = 0.1
"""Maximum fraction of a run's time for writing larger checkpoints. VGG16's dense layers with momentum take a gigabyte:
on cached features an epoch takes a second, and writing the checkpoint another."""


class KeepLast(Checkpoint):
    """Writes ``last.ckpt`` after an epoch, unless the previous one is large and recent (see ``SHARE``).

    A killed run therefore loses the current epoch, or ten times the time it takes to write a checkpoint, whichever is
    more. The last epoch's checkpoint is always written. This callback must be the last one, so that the checkpoint
    holds the states of the others.

    Args:
        path: path of the checkpoint.
        steps: also write it every ``steps`` optimizer steps within an epoch; None: only after epochs. It is not written
            after an epoch's last batch: Lightning would resume from there and skip that epoch's validation.
    """

    def __init__(self, path: Path, steps: int | None = None) -> None:
        self._path, self._steps = path, steps
        self._due = 0.0

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Write after an optimizer step, never while gradients are being accumulated."""
        if self._steps is None or (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        if trainer.global_step % self._steps == 0 and batch_idx + 1 < trainer.num_training_batches:
            self._write(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the checkpoint after the epoch's validation, if it is due."""
        is_final = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        # Rank 0 decides: clocks differ between ranks, and all must take part in writing.
        if is_final or trainer.strategy.broadcast(time.monotonic() >= self._due):
            self._write(trainer)

    def _write(self, trainer: pl.Trainer) -> None:
        start = time.monotonic()
        trainer.save_checkpoint(self._path)
        end = time.monotonic()
        is_large = self._path.exists() and self._path.stat().st_size > SMALL
        self._due = end + (end - start) / SHARE if is_large else 0.0
