"""What W&B may keep of the network itself, if one asks for it: histograms of its gradients, and the best checkpoint."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
import wandb
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger
from torch import Tensor

from vggexp.run_folder import RunFolder

BINS = 64
"""Bins of a histogram, from the least to the largest value."""


class Watch(Callback):
    """Logs ``gradients/NAME`` or ``parameters/NAME`` of each tensor as histograms, before the optimizer's step.

    Only what trains has gradients, so these follow the freeze policy. (``wandb.watch`` would hook what trains when it
    is called, and needs W&B's global run, which a sweep in one process does not have.)

    Args:
        logger: Lightning's; ``experiment`` is the W&B run.
        what: "gradients", "parameters" or "all".
        every: optimizer steps between two histograms.
    """

    def __init__(self, logger: Logger, what: str, every: int) -> None:
        self._logger, self._every = logger, every
        self._kinds = ("gradients", "parameters") if what == "all" else (what,)

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        """Log the histograms if they are due."""
        if trainer.global_step % self._every or not trainer.is_global_zero:
            return
        found: dict[str, Any] = {"trainer/global_step": trainer.global_step}
        for name, parameter in pl_module.named_parameters():
            values = {"gradients": parameter.grad, "parameters": parameter if parameter.requires_grad else None}
            for kind in self._kinds:
                if (tensor := values[kind]) is not None and (counted := histogram(tensor)):
                    counts, edges = map(np.array, counted)
                    found[f"{kind}/{name}"] = wandb.Histogram(np_histogram=(counts, edges))
        run: Any = getattr(self._logger, "experiment")  # noqa: B009 - Lightning's Logger does not declare it
        run.log(found)


def histogram(tensor: Tensor) -> tuple[list[int], list[float]] | None:
    """Counts and edges of the finite values; None if there is none.

    >>> counts, edges = histogram(torch.tensor([0.0, 0.0, 1.0, float("inf")]))
    >>> counts[0], counts[-1], sum(counts), edges[0], edges[-1]
    (2, 1, 3, 0.0, 1.0)
    """
    values = getattr(tensor.detach(), "to_local", tensor.detach)().float().flatten()  # of a shard, its own part
    values = values[values.isfinite()]
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    high = high if high > low else low + max(abs(low), 1.0) * 1e-3
    counts = torch.histc(values, BINS, low, high)
    return [int(count) for count in counts.tolist()], torch.linspace(low, high, BINS + 1).tolist()


def log_best(run: Any, folder: RunFolder, summary: Mapping[str, Any]) -> None:
    """Log ``checkpoint/best.ckpt`` as a model under the run's name: its scores, the aliases best and its policy.

    Args:
        run: the W&B run.
        summary: of the run: its metrics and choices.
    """
    choice = dict(summary.get("choice") or {})
    metadata = {"metrics": summary.get("metrics"), "choice": choice, "seed": summary.get("seed")}
    model = wandb.Artifact(artifact_name(run.name), type="model", metadata=metadata)
    model.add_file(str(folder.best), name="best.ckpt", policy="immutable", skip_cache=True)
    model.add_file(str(folder.config), name="config.yaml", policy="immutable", skip_cache=True)
    run.log_artifact(model, aliases=["best", *([artifact_name(choice["freeze"])] if "freeze" in choice else [])])


def artifact_name(run: str) -> str:
    """A run's name with the characters that W&B takes in a model's.

    >>> artifact_name("freeze/pets/none-1"), artifact_name("lr=1e-3")
    ('freeze.pets.none-1', 'lr-1e-3')
    """
    return re.sub(r"[^\w.-]", "-", run.replace("/", "."))[:128] or "run"
