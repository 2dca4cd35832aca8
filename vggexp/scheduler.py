"""Learning-rate schedules over a whole run, with linear warm-up: torch schedulers in the form that Lightning expects.

All but ``plateau`` are stepped at every optimizer step. ``Span`` passes the length of the run.

Arguments of all schedules: ``every``, ``patience`` and ``warmup`` are in epochs; ``at`` and ``climb`` are fractions of
the run; ``floor`` and ``start`` are fractions of the full learning rate.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, SupportsFloat

from torch.optim import Optimizer
from torch.optim import lr_scheduler as torch_schedules
from torch.optim.lr_scheduler import LRScheduler


@dataclass(frozen=True)
class Span:
    """The length of a run."""

    steps: int
    """Optimizer steps of the whole run."""
    steps_per_epoch: float
    """Optimizer steps in one epoch."""
    batches_per_epoch: int
    """Batches in one epoch: equal to the steps, or a multiple of them with gradient accumulation."""
    objective: str
    """The metric that ``plateau`` watches, such as "val/miou"."""
    mode: str
    """Direction of the objective: "min" or "max"."""
    val_every: int = 1
    """Epochs between two validations."""


Schedule = list[dict[str, Any]]


def constant(optimizer: Optimizer, span: Span, warmup: float = 0) -> Schedule:
    """A constant learning rate."""
    return _each_step(optimizer, torch_schedules.ConstantLR(optimizer, 1.0, 1), span, warmup)


def step(optimizer: Optimizer, span: Span, every: float = 10, gamma: float = 0.1, warmup: float = 0) -> Schedule:
    """Multiply the rate by gamma after every ``every`` epochs."""
    steps = max(1, round(every * span.steps_per_epoch))
    return _each_step(optimizer, torch_schedules.StepLR(optimizer, steps, gamma), span, warmup)


def multistep(
    optimizer: Optimizer, span: Span, at: Sequence[float] = (0.5, 0.75, 0.9), gamma: float = 0.1, warmup: float = 0
) -> Schedule:
    """Multiply the rate by gamma at each of the given fractions of the run."""
    milestones = [round(share * span.steps) - _warmup_steps(span, warmup) for share in at]
    return _each_step(optimizer, torch_schedules.MultiStepLR(optimizer, milestones, gamma), span, warmup)


def cosine(optimizer: Optimizer, span: Span, floor: float = 0.0, warmup: float = 0) -> Schedule:
    """Decrease the rate along half a cosine, from the full rate to ``floor`` times the full rate."""
    lowest = floor * max(group["lr"] for group in optimizer.param_groups)
    steps = max(1, span.steps - _warmup_steps(span, warmup))
    return _each_step(optimizer, torch_schedules.CosineAnnealingLR(optimizer, steps, lowest), span, warmup)


def poly(optimizer: Optimizer, span: Span, power: float = 0.9, warmup: float = 0) -> Schedule:
    """The full rate times (1 - progress)^power, with progress from 0 to 1."""
    steps = max(1, span.steps - _warmup_steps(span, warmup))
    return _each_step(optimizer, torch_schedules.PolynomialLR(optimizer, steps, power), span, warmup)


def one_cycle(optimizer: Optimizer, span: Span, climb: float = 0.3, start: float = 0.04, warmup: float = 0) -> Schedule:
    """A cosine rise from ``start`` times the rate to the full rate in a fraction ``climb``, then a fall to almost 0."""
    rates = [group["lr"] for group in optimizer.param_groups]
    # One step more than the run has: Lightning steps the scheduler once more after the last optimizer step.
    steps = max(2, span.steps - _warmup_steps(span, warmup)) + 1
    schedule = torch_schedules.OneCycleLR(optimizer, rates, steps, pct_start=float(climb), div_factor=1 / start)
    return _each_step(optimizer, schedule, span, warmup)


class Plateau(torch_schedules.ReduceLROnPlateau):
    """torch's, which takes an objective without a value (NaN) for one that did not improve; here it counts for none."""

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:  # type: ignore[override]
        """Judge an epoch's objective."""
        if not math.isnan(float(metrics)):
            super().step(metrics, epoch)


def validations_in(epochs: int, val_every: int) -> int:
    """How many validations a patience in epochs waits for.

    >>> validations_in(5, 1), validations_in(5, 2), validations_in(1, 4), validations_in(0, 2)
    (5, 3, 1, 0)
    """
    return -(-epochs // val_every)


def plateau(optimizer: Optimizer, span: Span, patience: int = 5, gamma: float = 0.1, warmup: float = 0) -> Schedule:
    """Multiply the rate by gamma when the objective has not improved for ``patience`` epochs."""
    steps = _warmup_steps(span, warmup)
    rising = torch_schedules.LinearLR(optimizer, 1 / steps, total_iters=steps - 1) if steps > 1 else None
    falling = Plateau(optimizer, span.mode, gamma, validations_in(patience, span.val_every))  # type: ignore[arg-type]
    # Stepped after the epoch's last batch and validation. With the interval "epoch", Lightning would step it after the
    # epoch's checkpoint is written, and the checkpoint would miss that step.
    due = {"interval": "step", "frequency": span.batches_per_epoch}
    schedules: Schedule = [{"scheduler": falling, **due, "monitor": span.objective, "strict": False}]
    # Both schedulers only multiply the current rate, so they can be combined.
    return [{"scheduler": rising, "interval": "step"}, *schedules] if rising else schedules


def _each_step(optimizer: Optimizer, schedule: LRScheduler, span: Span, warmup: float) -> Schedule:
    steps = _warmup_steps(span, warmup)
    if steps > 1:
        rising = torch_schedules.LinearLR(optimizer, 1 / steps, total_iters=steps - 1)
        schedule = torch_schedules.SequentialLR(optimizer, [rising, schedule], [steps])
    return [{"scheduler": schedule, "interval": "step"}]


def _warmup_steps(span: Span, warmup: float) -> int:
    return round(warmup * span.steps_per_epoch)
