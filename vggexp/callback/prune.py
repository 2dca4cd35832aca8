"""A run that is worse than most of its sweep's is stopped early: the median rule.

Golovin et al., Google Vizier, KDD 2017, section 3.2.2, as Optuna's MedianPruner has it: the run's best objective so far
against the median of what the finished runs had at the same epoch. What it compares with stands in the run folders, so
it works with every sweeper and launcher.
"""

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from vggexp.run_folder import RunFolder
from vggexp.sweep.journal import VARIABLE, Journal

Curve = Mapping[int, float]


def is_hopeless(best: float, epoch: int, others: Sequence[Curve], mode: str, min_runs: int) -> bool:
    """Whether the best value so far is worse than the median of the others' values in this epoch.

    Args:
        best: of this run, up to this epoch; NaN counts as worse than any.
        others: the curves of finished runs; those that did not reach the epoch do not count.
        mode: "max" if more is better, "min" if less.
        min_runs: fewer others are not enough to judge by.
    """
    values = [curve[epoch] for curve in others if not math.isnan(curve.get(epoch, math.nan))]
    if len(values) < min_runs:
        return False
    return math.isnan(best) or (best < median(values) if mode == "max" else best > median(values))


class Prune(Callback):
    """Stops the run by that rule.

    Args:
        folder: the pictures' folder in the run's.
        min_runs: finished runs needed to compare with.
        warmup: epochs in which nothing is stopped.
    """

    def __init__(self, folder: Path, min_runs: int = 5, warmup: int = 1) -> None:
        self._own = folder.parent.absolute()
        self._min_runs, self._warmup = min_runs, warmup
        self._best = math.nan
        self._curves: dict[str, Curve] = {}
        self.pruned: dict[str, Any] | None = None
        """The epoch in which the run was stopped, and why; None if it was not."""

    def state_dict(self) -> dict[str, Any]:
        """The best value, for a resumed run."""
        return {"best": self._best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from it."""
        self._best = state_dict["best"]

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Judge; the first process does it for all that share the run."""
        metric, mode = pl_module.objective  # type: ignore[misc]
        value, epoch = trainer.callback_metrics.get(metric), trainer.current_epoch
        if trainer.sanity_checking or value is None:
            return
        known = [one for one in (self._best, float(value)) if not math.isnan(one)]
        self._best = (max if mode == "max" else min)(known, default=math.nan)
        curves = self._others(str(metric)) if trainer.is_global_zero and epoch >= self._warmup else []
        stop = bool(trainer.strategy.broadcast(is_hopeless(self._best, epoch, curves, str(mode), self._min_runs)))
        if stop and epoch + 1 < (trainer.max_epochs or 0):
            self.pruned = {"epoch": epoch, "best": self._best, "runs": len(curves)}
            trainer.should_stop = True
            if trainer.is_global_zero:
                of = f"of {len(curves)} finished runs"
                why = (
                    f"{metric} has no value, and that {of} has"
                    if math.isnan(self._best)
                    else f"worse than the median {of}"
                )
                print(f"stopped after epoch {epoch + 1}: {why}", flush=True)

    def _others(self, metric: str) -> list[Curve]:
        """The curves of the sweep's finished runs; they do not change any more."""
        if (place := os.environ.get(VARIABLE)) is None:
            return []
        journal = Journal(Path(place))
        plan = journal.plan()
        ended = [entry.folder for entry in journal.entries() if entry.folder and entry.status in ("done", "skipped")]
        for folder in {*ended, *(plan.earlier if plan else ())} - self._curves.keys():
            run = RunFolder(folder)
            if run.path.absolute() != self._own and (summary := run.read_summary()):
                self._curves[folder] = {} if summary.get("pruned") else run.curve(metric)
        return [curve for curve in self._curves.values() if curve]
