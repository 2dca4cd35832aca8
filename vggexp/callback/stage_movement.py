"""Measures, for ``freeze=auto`` and ``thaw``, gradients over an interval, and tells the policy."""

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from vggexp.learner.freezing import Freezing
from vggexp.learner.stage_gradients import StageGradients
from vggexp.types import MeasuredPolicy


class StageMovement(Callback):
    """Gives a policy that changes its row at the end of each interval.

    The sums of an unfinished interval are in the checkpoint, and the rows are with the learner's, so a resumed run
    decides as the uninterrupted one. All processes get the mean of what they measured, to decide alike.

    Args:
        freezing: its policy is a ``MeasuredPolicy``.
    """

    def __init__(self, freezing: Freezing) -> None:
        assert freezing.measuring is not None
        self._freezing = freezing
        self._policy: MeasuredPolicy = freezing.measuring
        self._gradients = StageGradients(freezing, head=getattr(self._policy, "measures_head", False))

    def state_dict(self) -> dict[str, Any]:
        """The sums of the interval so far."""
        return {"sums": dict(self._gradients.sums)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from them."""
        self._gradients.sums = dict(state_dict["sums"])

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        """Add the gradients of a step: reduced over the processes, not yet clipped."""
        self._gradients.add()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """At the end of an interval: a row for the policy, and a line for what it freezes or thaws."""
        epoch = trainer.current_epoch
        if (epoch + 1) % self._policy.window:
            return
        own = torch.tensor(self._gradients.norms(), dtype=torch.float64, device=pl_module.device)
        row = trainer.strategy.reduce(own, reduce_op="mean")
        assert isinstance(row, torch.Tensor)
        before = self._frozen(epoch)
        self._policy.measured.append(row.tolist())
        self._gradients.sums = {}
        after = self._frozen(epoch + 1)
        for what, stages in (("frozen", after - before), ("trains", before - after)):
            if trainer.is_global_zero and stages:
                print(f"freeze: {', '.join(sorted(stages))}: {what} from epoch {epoch + 1} on", flush=True)

    def _frozen(self, epoch: int) -> set[str]:
        return {
            f"stage{info.stage}"
            for info, _ in self._freezing.parameters
            if info.stage is not None and not self._policy(epoch, info)
        }
