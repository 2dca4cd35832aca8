"""``last.ckpt`` also within an epoch, for epochs too long to lose."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback


class SaveEvery(Callback):
    """Writes a checkpoint every ``steps`` optimizer steps; it comes last among the callbacks, to hold their states.

    Not after an epoch's last batch: Lightning resumes from there without that epoch's validation, and the checkpoint of
    the whole epoch follows anyway.
    """

    def __init__(self, path: Path, steps: int) -> None:
        self._path, self._steps = path, steps

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Between two steps: no gradient is half gathered."""
        stepped = (batch_idx + 1) % trainer.accumulate_grad_batches == 0
        if stepped and trainer.global_step % self._steps == 0 and batch_idx + 1 < trainer.num_training_batches:
            trainer.save_checkpoint(self._path)
