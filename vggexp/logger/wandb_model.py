"""What W&B may keep of the network itself, if one asks for it: histograms of its gradients, and the best checkpoint."""

import re
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import wandb
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger

from vggexp.run_folder import RunFolder


class Watch(Callback):
    """Logs ``gradients/NAME`` or ``parameters/NAME`` of each tensor as histograms.

    W&B hooks the gradients of the parameters that train when it begins to watch, so it begins anew in each epoch in
    which the freeze policy has changed which ones do.

    Args:
        logger: Lightning's; ``experiment`` is the W&B run.
        what: "gradients", "parameters" or "all".
        every: batches between two histograms.
    """

    def __init__(self, logger: Logger, what: str, every: int) -> None:
        self._logger, self._what, self._every = logger, what, every
        self._watched: frozenset[str] = frozenset()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Begin to watch; by the epoch's first batch the policy has been applied."""
        if batch_idx or not trainer.is_global_zero:
            return
        trained = frozenset(name for name, parameter in pl_module.named_parameters() if parameter.requires_grad)
        if trained == self._watched:
            return
        run: Any = getattr(self._logger, "experiment")  # noqa: B009 - Lightning's Logger does not declare it
        if self._watched:
            run.unwatch(pl_module)
        run.watch(pl_module, log=self._what, log_freq=self._every, idx=0, log_graph=False)
        self._watched = trained

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Remove the hooks, before the network is tested, saved or exported."""
        if self._watched:
            getattr(self._logger, "experiment").unwatch(pl_module)  # noqa: B009
            self._watched = frozenset()


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
