"""``optimizer.l2_sp``: pulls weights towards those that they started from, in place of weight decay towards 0.

Li, Grandvalet & Davoine, "Explicit Inductive Bias for Transfer Learning with Convolutional Networks", arXiv 1802.01483,
equation 3: the loss gets alpha / 2 |w - w0|^2 for the weights w that start from w0, and beta / 2 |w|^2 for those that
are new. beta is the optimizer's own weight decay.
"""

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from vggexp.learner.freezing import Freezing


class StartPull(Callback):
    """Adds alpha (w - w0) to the gradient of each weight of the groups that have a ``pull``, before it is clipped.

    The start is in the checkpoint, so a resumed run is pulled to the same weights, wherever they came from.

    Args:
        freezing: the network with the weights that the run starts from.
        started: how the names of the parameters begin that do so.
        epochs: of the run; parameters that never train are left out.
    """

    def __init__(self, freezing: Freezing, started: tuple[str, ...], epochs: int) -> None:
        self._freezing = freezing
        self._start: dict[str, Tensor] = {
            info.name: parameter.detach().clone()
            for trains, (info, parameter) in zip(freezing.trained(epochs), freezing.parameters, strict=True)
            if trains and info.name.startswith(started)
        }

    def state_dict(self) -> dict[str, Any]:
        """The start."""
        return {"start": dict(self._start)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the start from the checkpoint."""
        self._start = dict(state_dict["start"])

    @torch.no_grad()
    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        """Add the pull to the gradients, which are the mean over the processes: the same in all of them."""
        names = {id(parameter): info.name for info, parameter in self._freezing.parameters}
        for group in optimizer.param_groups:
            if not (alpha := group.get("pull", 0.0)):
                continue
            for parameter in group["params"]:
                if parameter.grad is not None:
                    name = names[id(parameter)]
                    self._start[name] = self._start[name].to(parameter.device)
                    parameter.grad.add_(parameter - self._start[name], alpha=alpha)
