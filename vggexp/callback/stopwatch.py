"""Measures the cost of a run: seconds, images per second, peak memory."""

import platform
import time
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from vggexp.distributed.memory import peak_memory_mib, reset_peak_memory


class Stopwatch(Callback):
    """Measures the time of training batches, without validation, and counts their images."""

    def __init__(self) -> None:
        self.images = 0
        self.train_seconds = 0.0
        self.device = self.precision = ""
        self._start = time.monotonic()
        self._since: float | None = None
        reset_peak_memory()

    def state_dict(self) -> dict[str, Any]:
        """Save the counts, for a resumed run."""
        seconds = time.monotonic() - self._start
        running = time.monotonic() - self._since if self._since is not None else 0.0
        return {"images": self.images, "train_seconds": self.train_seconds + running, "seconds": seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the counts."""
        self.images, self.train_seconds = state_dict["images"], state_dict["train_seconds"]
        self._start = time.monotonic() - state_dict["seconds"]

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Note where and how the run computes."""
        self.device = f"{trainer.world_size} x {device_name(trainer.strategy.root_device.type)}"
        self.precision = str(trainer.precision)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self._since = time.monotonic()

    def on_train_batch_start(self, *_args: Any, **_kwargs: Any) -> None:
        """Start the clock if the run was resumed within an epoch."""
        self._since = self._since or time.monotonic()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count the batch's images, and stop the clock after the epoch's last batch."""
        self.images += len(batch["index"]) * trainer.world_size
        if batch_idx + 1 == trainer.num_training_batches:
            self._pause()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop the clock, also if the last epoch did not reach its last batch."""
        self._pause()

    def cost(self) -> dict[str, float]:
        """Seconds since the run began, training images per second, peak memory in MiB (GPU, else process)."""
        speed = self.images / self.train_seconds if self.train_seconds else 0.0
        return {
            "seconds": round(time.monotonic() - self._start, 2),
            "images_per_second": round(speed, 2),
            "peak_memory_mib": round(peak_memory_mib(), 1),
        }

    def _pause(self) -> None:
        if self._since is not None:
            self.train_seconds += time.monotonic() - self._since
        self._since = None


def device_name(kind: str) -> str:
    """The GPU's name, or the number of CPU threads."""
    if kind == "cuda":
        return torch.cuda.get_device_name()
    return f"CPU, {torch.get_num_threads()} threads" if kind == "cpu" else f"{platform.machine()} GPU ({kind})"
