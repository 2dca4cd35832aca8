"""Writes ``last.ckpt``, the checkpoint that an interrupted run resumes from."""

import math
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from vggexp.distributed.signals import Terminated, defer, is_ending, take_saving

SMALL = 2**24
"""Checkpoints up to this size, in bytes, are written after every epoch."""
TOGETHER = 16
"""Steps after which several processes ask one another whether a signal has come."""
SHARE = 0.1
"""Maximum fraction of a run's time for writing larger checkpoints. VGG16's dense layers with momentum take a gigabyte:
on cached features an epoch takes a second, and writing the checkpoint another."""


class KeepLast(Checkpoint):
    """Writes ``last.ckpt`` after an epoch, unless the previous one is large and recent (see ``SHARE``).

    A killed run therefore loses the current epoch, or ten times the time it takes to write a checkpoint, whichever is
    more. The last epoch's checkpoint is always written. This callback must be the last one, so that the checkpoint
    holds the states of the others.

    It is also written at once when SIGUSR1 asks for it, as SLURM's warning does, and before SIGTERM ends the run: after
    the next optimizer step, in a validation after that.

    Args:
        path: path of the checkpoint.
        steps: also write it every ``steps`` optimizer steps within an epoch; None: only after epochs. It is not written
            after an epoch's last batch: Lightning would resume from there and skip that epoch's validation.
        minutes: also write it when the last one is this old; None: only after epochs.
    """

    def __init__(self, path: Path, steps: int | None = None, minutes: float | None = None) -> None:
        self._path, self._steps = path, steps
        self._seconds = math.inf if minutes is None else 60 * minutes
        self._due = 0.0
        self._written = time.monotonic()
        self._row: dict[str, Any] | None = None

    def state_dict(self) -> dict[str, Any]:
        """The epoch's row of metrics.jsonl that Lightning logs only after this checkpoint: a kill may lose it."""
        return {"row": self._row}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """From now on SIGTERM waits for a checkpoint."""
        self._written = time.monotonic()
        defer(True)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The last checkpoint is written."""
        defer(False)
        if is_ending():
            raise Terminated

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Write after an optimizer step, never while gradients are being accumulated."""
        if (batch_idx + 1) % trainer.accumulate_grad_batches or batch_idx + 1 >= trainer.num_training_batches:
            return
        ends, saves = self._asked(trainer, now=trainer.global_step % TOGETHER == 0)
        if ends or saves or (self._steps and trainer.global_step % self._steps == 0):
            self._row = None
            self._write(trainer)
        if ends:
            self._leave(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the checkpoint after the epoch's validation, if it is due."""
        is_final = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        ends, saves = self._asked(trainer)
        # Rank 0 decides: clocks differ between ranks, and all must take part in writing.
        if is_final or ends or saves or trainer.strategy.broadcast(time.monotonic() >= self._due):
            self._row = _pending_row(trainer)
            self._write(trainer)
        if ends and not is_final:
            self._leave(trainer)

    def _asked(self, trainer: pl.Trainer, now: bool = True) -> tuple[bool, bool]:
        """Whether the run is to end, and whether a checkpoint is wanted; the same in all processes.

        Several processes ask one another now and then only: on a GPU that waits for the work before.
        """
        alone = trainer.world_size == 1
        if not (alone or now):
            return False, False
        saves = take_saving() or time.monotonic() - self._written >= self._seconds
        if alone:
            return is_ending(), saves
        decide = trainer.strategy.reduce_boolean_decision
        return decide(is_ending(), all=False), decide(saves, all=False)

    def _leave(self, trainer: pl.Trainer) -> None:
        if trainer.is_global_zero:
            print(f"SIGTERM: {self._path.name} was written at step {trainer.global_step}", flush=True)
        raise Terminated

    def _write(self, trainer: pl.Trainer) -> None:
        start = time.monotonic()
        trainer.save_checkpoint(self._path)
        self._written = end = time.monotonic()
        is_large = self._path.exists() and self._path.stat().st_size > SMALL
        self._due = end + (end - start) / SHARE if is_large else 0.0


def _pending_row(trainer: pl.Trainer) -> dict[str, Any] | None:
    """The row that the run's log gets at the end of the epoch, after all callbacks; None if there is none.

    Every process must call it: the epoch's means are reduced over them.
    """
    results = trainer._results
    values = results.metrics(on_step=False)["log"] if results is not None else {}
    if not values:
        return None
    plain = {name: float(value) for name, value in values.items()}
    step = trainer.fit_loop.epoch_loop._batches_that_stepped - 1
    rows = (make(plain | {"epoch": trainer.current_epoch}, step) for make in map(_maker, trainer.loggers) if make)
    return next(rows, None)


def _maker(logger: Any) -> Any:
    """What makes a row of the run's own log; other loggers have none."""
    return getattr(logger, "row", None)
