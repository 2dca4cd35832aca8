"""What the objective decides: which checkpoint is best, and when a run has stopped improving.

An objective without a value (NaN) says nothing of a run. The validation split may hold no ground truth for it, or the
network's outputs are no numbers.
"""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch import Tensor

from vggexp.scheduler import validations_in


class Best(ModelCheckpoint):
    """Keeps the best epoch's checkpoint; the last epoch's, as long as the objective has had no value.

    Lightning keeps the first epoch's there: it takes a missing value for the worst one, and none is better than that.
    """

    @property
    def state_key(self) -> str:
        """Lightning's own: a run that began with its callback goes on with this one."""
        return super().state_key.replace(type(self).__qualname__, ModelCheckpoint.__qualname__, 1)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best score. Lightning drops it if the run's folder was moved or copied."""
        before, now = state_dict.get("dirpath"), self.dirpath

        def moved(path: Any) -> str:
            return str(Path(str(now), Path(path).name)) if path else path

        paths = ("best_model_path", "kth_best_model_path", "last_model_path")
        if before != now:
            own: dict[str, Any] = {key: moved(state_dict[key]) for key in paths if key in state_dict}
            own["best_k_models"] = {moved(path): score for path, score in state_dict.get("best_k_models", {}).items()}
            state_dict = {**state_dict, **own, "dirpath": now}
        super().load_state_dict(state_dict)

    def check_monitor_top_k(self, trainer: pl.Trainer, current: Tensor | None = None) -> bool:
        """Whether this epoch takes the place of the one that is kept."""
        best = self.best_model_score
        if current is not None and bool(current.isnan()) and best is not None and bool(best.isinf()):
            return True
        return super().check_monitor_top_k(trainer, current)


class Patience(EarlyStopping):
    """Stops a run whose objective has not improved; never for having had no value.

    Once there was a value, a later epoch without one means that the network diverged, and stops the run.
    """

    @property
    def state_key(self) -> str:
        """Lightning's own: a run that began with its callback goes on with this one."""
        return super().state_key.replace(type(self).__qualname__, EarlyStopping.__qualname__, 1)

    def __init__(self, monitor: str, mode: str, epochs: int, val_every: int = 1) -> None:
        super().__init__(monitor, mode=mode, patience=validations_in(epochs, val_every))
        self._epochs = epochs

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the count, and keep the patience that this run was told to have."""
        super().load_state_dict({**state_dict, "patience": self.patience})

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say that the run stops, and why."""
        before = trainer.should_stop
        super().on_validation_end(trainer, pl_module)
        if trainer.should_stop and not before and trainer.is_global_zero:
            lost = trainer.callback_metrics[str(self.monitor)].isnan()
            why = "has lost its value" if lost else f"has not improved for {self._epochs} epochs"
            told = f"stopped after epoch {trainer.current_epoch + 1} (trainer.early_stopping): {self.monitor} {why}"
            print(f"{told}; its best was {float(self.best_score):.4g}", flush=True)

    def _evaluate_stopping_criteria(self, current: Tensor) -> tuple[bool, Any]:
        if bool(current.isnan()) and bool(self.best_score.isinf()):
            return False, None
        return super()._evaluate_stopping_criteria(current)
