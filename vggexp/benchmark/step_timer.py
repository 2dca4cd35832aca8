"""Rounds within a Lightning training: a round is a number of steps, from the end of one step to the end of another."""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from vggexp.benchmark.rounds import Rounds


class StepTimer(Callback):
    """Pauses a training after every ``steps`` steps until the next round. The first step is the warm-up."""

    def __init__(self, rounds: Rounds, steps: int, batch_size: int) -> None:
        self._rounds, self._steps, self._batch_size = rounds, steps, batch_size
        self._done = 0

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count the step; end and begin a round every ``steps`` steps."""
        if self._done and self._done % self._steps == 0:
            self._rounds.end(self._steps * self._batch_size)
        if self._done % self._steps == 0:
            self._rounds.begin()
        self._done += 1
