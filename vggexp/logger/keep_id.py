"""Writes the id of a logger's run into every checkpoint, so that a resumed run continues it."""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers.logger import Logger


class KeepId(Callback):
    """Stores ``logger.version`` as ``checkpoint["logger"][name]["id"]``; the logger's ``load_state_dict`` reads it.

    Args:
        name: the option of ``logger=``.
        logger: whose id it is.
    """

    def __init__(self, name: str, logger: Logger) -> None:
        self._name, self._logger = name, logger

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add it to the checkpoint."""
        checkpoint.setdefault("logger", {})[self._name] = {"id": self._logger.version}
