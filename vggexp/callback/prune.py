"""Stops a run early if it is worse than most runs of its sweep (median stopping rule).

Golovin et al., Google Vizier, KDD 2017, section 3.2.2, in the form of Optuna's MedianPruner: compares the run's best
objective so far with the median of the finished runs' values at the same epoch. It reads those values from the run
folders, so it works with every sweeper and launcher.
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
        best: best value of this run up to this epoch; NaN counts as worse than any value.
        others: the curves of finished runs; runs without a value in this epoch are ignored.
        mode: "max" if higher is better, "min" if lower is better.
        min_runs: minimum number of other runs with a value; with fewer the result is false.
    """
    values = [curve[epoch] for curve in others if not math.isnan(curve.get(epoch, math.nan))]
    if len(values) < min_runs:
        return False
    return math.isnan(best) or (best < median(values) if mode == "max" else best > median(values))


class Prune(Callback):
    """Stops the run by the median rule.

    Args:
        folder: the ``prediction`` folder in the run folder.
        min_runs: minimum number of finished runs to compare with.
        warmup: number of first epochs in which the run is never stopped.
    """

    def __init__(self, folder: Path, min_runs: int = 5, warmup: int = 1) -> None:
        self._own = folder.parent.absolute()
        self._min_runs, self._warmup = min_runs, warmup
        self._best = math.nan
        self._curves: dict[str, Curve] = {}
        self.pruned: dict[str, Any] | None = None
        """The epoch in which the run was stopped, its best value and the number of runs; None if it was not stopped."""

    def state_dict(self) -> dict[str, Any]:
        """Save the best value, for a resumed run."""
        return {"best": self._best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best value."""
        self._best = state_dict["best"]

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Decide whether to stop; rank 0 decides for all ranks."""
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
        """The curves of the sweep's finished runs. Each is read once, because it no longer changes."""
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
