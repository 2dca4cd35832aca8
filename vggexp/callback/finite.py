"""What happens when a training's numbers become NaN or infinite: ``trainer.on_nan``.

stop: the run ends with an error that says where it began; its last checkpoint is one with finite weights.
skip: a batch whose loss or gradients are not finite changes nothing.
restore: the weights and the optimizer's state of the last checkpoint come back, and the next batch follows.
If it happens in one of several processes, all of them skip or restore.
"""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, WeightAveraging
from torch import Tensor

from vggexp.errors import DivergedError
from vggexp.sample.files import names_of
from vggexp.transfer.checkpoint import read_checkpoint

TIMES = 3
"""How often a run goes back to one checkpoint."""

Where = tuple[Tensor, Tensor, int, int]
"""A loss, its samples' indices, its batch's number in the epoch, and its step."""

_ADVICE = "lower optimizer.lr, clip with trainer.clip=1, or see trainer.on_nan"


class Finite(Callback):
    """Watches the loss of every step, and the weights before they are validated or saved.

    Args:
        last: the checkpoint that "restore" goes back to.
        on_nan: "stop", "skip" or "restore".
    """

    def __init__(self, last: Path, on_nan: str = "stop") -> None:
        self._last, self._on_nan = last, on_nan
        self._restored: list[float] = []
        self._late: Where | None = None

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        """With "skip": drop gradients that are not finite; an optimizer leaves a parameter without gradient alone.

        Several processes have reduced their gradients, so they find the same.
        """
        if self._on_nan != "skip":
            return
        learner: Any = pl_module
        if not learner.take_counted():  # every batch of this step was skipped; those of several processes left zeros
            optimizer.zero_grad(set_to_none=True)
            return
        grads = [one.grad for one in pl_module.parameters() if one.grad is not None]
        if not _is_finite(grads):
            optimizer.zero_grad(set_to_none=True)
            learner.forget_statistics()
            print(f"step {trainer.global_step}: the gradients are not finite; skipped", flush=True)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop or restore if the loss is not finite."""
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if self._on_nan == "skip" or loss is None:
            return
        where: Where = (loss, batch["index"], batch_idx, trainer.global_step - 1)
        if loss.is_cuda and batch_idx + 1 < trainer.num_training_batches:
            where, self._late = self._late or where, where  # asked for a step later, a GPU need not be waited for
        fine = bool(torch.isfinite(where[0]))
        together = self._on_nan == "restore" and trainer.world_size > 1
        if trainer.strategy.reduce_boolean_decision(fine, all=True) if together else fine:
            return
        self._late = None
        told = _told(trainer, pl_module, batch, where)
        if together:
            told = _first_of_all(None if fine else told)
        if self._on_nan == "restore" and self._restore(trainer, pl_module):
            print(f"{told}; went back to the last checkpoint", flush=True)
            return
        raise DivergedError(f"{told}; {_ADVICE}")

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Keep the checkpoint that is there, rather than write one whose weights are not finite."""
        if name := _broken(pl_module):
            raise DivergedError(f"step {trainer.global_step - 1}: {name} is not finite; {_ADVICE}")

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Let no checkpoint be written from weights that are not finite."""
        if trainer.state.fn != "fit" or not (name := _broken(pl_module)):
            return
        told = f"epoch {trainer.current_epoch + 1}, step {trainer.global_step - 1}: {name} is not finite"
        if self._on_nan != "restore" or not self._restore(trainer, pl_module):
            raise DivergedError(f"{told}; {_ADVICE}")
        print(f"{told}; went back to the last checkpoint", flush=True)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """As before a validation: an epoch may have none."""
        self.on_validation_start(trainer, pl_module)

    def _restore(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> bool:
        """Load the last checkpoint; the learning rates stay where the schedule has them."""
        written = trainer.strategy.broadcast(self._last.stat().st_mtime if self._last.exists() else None)
        if written is None or self._restored.count(written) >= TIMES:
            return False
        self._restored.append(written)
        content = read_checkpoint(self._last)
        pl_module.load_state_dict(content["state_dict"])
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, WeightAveraging):  # the average is not finite any more, either
                callback.on_load_checkpoint(trainer, pl_module, content)
        (optimizer,) = trainer.optimizers
        now = [{key: value for key, value in one.items() if key != "params"} for one in optimizer.param_groups]
        optimizer.load_state_dict(content["optimizer_states"][0])
        for group, own in zip(optimizer.param_groups, now, strict=True):
            group |= own
        return True


def _told(trainer: pl.Trainer, learner: pl.LightningModule, batch: Any, where: Where) -> str:
    """Where it happened: epoch, step, learning rate, the batch's samples and the first tensor."""
    rate = max(group["lr"] for group in trainer.optimizers[0].param_groups)
    _, indices, number, step = where
    loader: Any = trainer.train_dataloader
    names = names_of(getattr(loader, "dataset", None), indices.tolist()[:8])
    samples = ", ".join(names) + (", ..." if len(indices) > 8 else "")
    first = _broken(learner) or _first_output(learner, batch) or "the loss"
    return (
        f"epoch {trainer.current_epoch + 1}, batch {number}, step {step}: the loss is not finite at learning rate "
        f"{rate:.3g}; first not finite: {first}; its batch: {samples}"
    )


def _first_of_all(told: str | None) -> str:
    """What the first of the processes says that has something to say."""
    every: list[str | None] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(every, told)
    return next(one for one in every if one is not None)


def _broken(learner: pl.LightningModule) -> str | None:
    """The first parameter that is not finite."""
    named = list(learner.named_parameters())
    if _is_finite([one.detach() for _, one in named]):
        return None
    return next((f"parameter {name}" for name, one in named if not _is_finite([one.detach()])), None)


def _first_output(learner: Any, batch: Any) -> str | None:
    """The first layer whose output is not finite, for this batch."""
    found: list[str] = []

    def watch(name: str) -> Any:
        return lambda _module, _inputs, output: (
            found.append(f"output of {name}") if isinstance(output, Tensor) and not _is_finite([output]) else None
        )

    hooks = [module.register_forward_hook(watch(name)) for name, module in learner.named_modules() if name]
    try:
        with torch.no_grad():
            learner.outputs(batch)
    finally:
        for hook in hooks:
            hook.remove()
    return found[0] if found else None


def _is_finite(tensors: list[Tensor]) -> bool:
    """Whether all are, with one answer from the device: the largest absolute value is finite if all are."""
    own = [one.to_local() if hasattr(one, "to_local") else one for one in tensors]  # under FSDP, this process's part
    if not (own := [one for one in own if one.is_floating_point() and one.numel()]):
        return True
    norms = torch._foreach_norm(own, float("inf"))
    return bool(torch.stack([norm.float() for norm in norms]).isfinite().all())
