"""``logger=tensorboard``: event files in the run folder, with hyperparameters and pictures (extra: tensorboard).

``tensorboard --logdir runs`` shows all runs; its table of hyperparameters has the objective beside them.
"""

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities import rank_zero_only

from vggexp.logger.flat import costs, flat
from vggexp.logger.sheets import Sheets
from vggexp.run_folder import RunFolder


class TensorBoard(TensorBoardLogger):
    """Writes to ``tensorboard/`` in the run folder; a resumed run adds a file there.

    Args:
        save_dir: the run folder.
        objective: ``metric`` of the run's objective, for the table of hyperparameters.
    """

    def __init__(self, save_dir: Path, objective: Mapping[str, str]) -> None:
        super().__init__(str(save_dir), name="tensorboard", version="", default_hp_metric=False)
        self.callbacks: list[Callback] = [Sheets(RunFolder(save_dir), self._show)]
        """Callbacks that the trainer must run with this logger."""
        self._objective = objective["metric"]

    @rank_zero_only
    def log_hyperparams(
        self, params: dict[str, Any] | Namespace, metrics: dict[str, Any] | None = None, step: int | None = None
    ) -> None:
        """Write the config as hyperparameters, and name the scores that stand beside them."""
        from torch.utils.tensorboard.summary import hparams

        config = flat(params if isinstance(params, dict) else vars(params))
        self.hparams.update(config)
        scores = {f"{split}/{self._objective}": 0.0 for split in ("val", "test")}
        written: Any = hparams(config, scores)  # type: ignore[no-untyped-call]
        for summary in written:  # the values come from the curves of these names
            self.experiment._get_file_writer().add_summary(summary, step)

    @rank_zero_only
    def close(self, summary: Mapping[str, Any], error: BaseException | None = None) -> None:
        """Write the costs, and close the files."""
        for name, value in costs(summary).items():
            self.experiment.add_scalar(f"cost/{name}", value)
        self.experiment.close()

    def _show(self, split: str, path: Path, step: int) -> None:
        with Image.open(path) as file:
            pixels = np.asarray(file.convert("RGB"))
        self.experiment.add_image(f"prediction/{split}", pixels, step, dataformats="HWC")
