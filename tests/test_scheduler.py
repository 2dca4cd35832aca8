"""Schedules against their formulas, with and without warm-up."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from vggexp import scheduler
from vggexp.scheduler import Span

SPAN = Span(steps=20, steps_per_epoch=4, batches_per_epoch=4, objective="val/top1", mode="max")


def rates(make: Callable[..., scheduler.Schedule], **arguments: Any) -> list[float]:
    """The rate of every step of a run with full rate 1."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0, momentum=0.9)
    schedules = make(optimizer, SPAN, **arguments)
    found = []
    for number in range(SPAN.steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        for schedule in schedules:
            assert schedule["interval"] == "step"
            if (number + 1) % schedule.get("frequency", 1) == 0:  # as Lightning does
                schedule["scheduler"].step(
                    *([0.5] if "monitor" in schedule else [])
                )  # an objective that never improves
    return found


@pytest.mark.parametrize(
    ("make", "arguments", "formula"),
    [
        (scheduler.constant, {}, lambda t: 1.0),
        (scheduler.step, {"every": 2, "gamma": 0.1}, lambda t: 0.1 ** (t // 8)),
        (scheduler.multistep, {"at": [0.5, 0.75]}, lambda t: 0.1 ** ((t >= 10) + (t >= 15))),
        (scheduler.cosine, {"floor": 0.1}, lambda t: 0.1 + 0.9 * (1 + math.cos(math.pi * t / 20)) / 2),
        (scheduler.poly, {"power": 0.9}, lambda t: (1 - t / 20) ** 0.9),
        (scheduler.plateau, {"patience": 1, "gamma": 0.5}, lambda t: 0.5 ** max(0, (t // 4 - 1) // 2)),
    ],
)
def test_formula(make: Callable[..., scheduler.Schedule], arguments: dict[str, Any], formula: Any) -> None:
    assert rates(make, **arguments) == pytest.approx([formula(t) for t in range(20)])


def test_one_cycle_climbs_once_and_falls_to_almost_nothing() -> None:
    found = rates(scheduler.one_cycle, climb=0.3, start=0.04)
    top = found.index(max(found))
    assert found[0] == pytest.approx(0.04)
    assert 5 <= top <= 6
    assert found[top] == pytest.approx(1, abs=0.02)
    assert found[:top] == sorted(found[:top])
    assert found[top:] == sorted(found[top:], reverse=True)
    assert found[-1] < 0.02


@pytest.mark.parametrize("name", ["constant", "step", "multistep", "cosine", "poly", "plateau"])
def test_warmup_climbs_linearly_and_then_the_schedule_begins(name: str) -> None:
    found = rates(getattr(scheduler, name), warmup=2)
    assert found[:8] == pytest.approx([(t + 1) / 8 for t in range(8)])
    assert found[8] == pytest.approx(1)


def test_multistep_with_warmup_keeps_its_places_in_the_run() -> None:
    assert rates(scheduler.multistep, at=[0.5], warmup=1)[9:11] == pytest.approx([1, 0.1])


def test_plateau_counts_no_epoch_without_a_value() -> None:
    """Torch takes NaN for an epoch that did not improve: a run on a split without truth would come to rest."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], 1.0)
    schedule = scheduler.Plateau(optimizer, "max", 0.5, 0)
    for value in (float("nan"), 0.5, float("nan"), 0.6):
        schedule.step(value)
    assert optimizer.param_groups[0]["lr"] == 1.0
    schedule.step(0.6)
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_a_climb_that_yaml_reads_as_a_whole_number() -> None:
    """Torch takes no int for it."""
    whole = rates(scheduler.one_cycle, climb=1)
    assert whole == rates(scheduler.one_cycle, climb=1.0)
    assert whole == sorted(whole)
    assert len(rates(scheduler.one_cycle, climb=0)) == SPAN.steps
