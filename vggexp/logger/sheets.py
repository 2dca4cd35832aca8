"""Hands the sheets of ``callback=prediction_images`` (truth beside prediction) to a logger that takes pictures."""

from collections.abc import Callable
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from vggexp.run_folder import RunFolder


class Sheets(Callback):
    """After training ``prediction/val.png``, after the test ``prediction/test.png``, if they are there.

    Args:
        folder: the run folder.
        show: called with "val" or "test", the file, and the optimizer's step.
    """

    def __init__(self, folder: RunFolder, show: Callable[[str, Path, int], None]) -> None:
        self._folder, self._show = folder, show

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show the validation split's sheet."""
        self._hand_over(trainer, "val")

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show the test split's sheet."""
        self._hand_over(trainer, "test")

    def _hand_over(self, trainer: pl.Trainer, split: str) -> None:
        path = self._folder.predictions / f"{split}.png"
        if trainer.is_global_zero and path.exists():
            self._show(split, path, trainer.global_step)
