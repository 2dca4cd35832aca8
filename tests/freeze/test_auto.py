"""Which stages ``freeze=auto`` freezes, by hand; and that what it measured survives resume, processes and the cache."""

import csv
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.cache.test_feature_cache import DENSE, FEW, assert_equal_runs
from tests.e2e.test_resume import compare
from tests.learner.test_freezing import bound, step
from vggexp.freeze.auto import Auto
from vggexp.freeze.none import Nothing
from vggexp.learner.stage_gradients import StageGradients
from vggexp.transfer.checkpoint import read_checkpoint

ROWS = [[10.0, 10, 10, 10, 10], [9.9, 9.8, 5, 9.5, 4], [1, 9.8, 4.99, 9.5, 3.6], [1, 1, 4.98, 9.0, 1]]
# Changes, in %: 1 2 50 5 60 (median 5: stages 1 and 2 freeze), then of 3 4 5: 0.2 0 10 (median 0.2: none is below it),
# then 0.2 5.3 72 (median 5.3: stage 3 freezes).


def test_stages_freeze_from_the_image_on_while_they_change_less_than_the_median() -> None:
    policy = Auto()
    policy.measured = ROWS
    assert [policy.frozen(epoch) for epoch in range(7)] == [0, 0, 2, 2, 3, 3, 3]


def test_an_interval_of_several_epochs() -> None:
    policy = Auto(window=2)
    policy.measured = ROWS
    assert [policy.frozen(epoch) for epoch in range(9)] == [0, 0, 0, 0, 2, 2, 2, 2, 3]


def test_what_is_measured_later_changes_no_earlier_epoch() -> None:
    policy, seen = Auto(), []
    for place in range(5):
        policy.measured = ROWS[:place]
        seen.append([policy.frozen(epoch) for epoch in range(place + 1)])
    assert all(one == other[: len(one)] for one, other in pairwise(seen))


def test_the_last_stage_and_everything_at_percentile_0_goes_on() -> None:
    still = [[1.0] * 5] * 2
    for policy, rows in ((Auto(percentile=100), still), (Auto(percentile=0), ROWS)):
        policy.measured = rows
        assert policy.frozen(9) == 0


def test_the_measure_is_the_norm_of_the_summed_gradient() -> None:
    torch.manual_seed(0)
    freezing = bound(Nothing())
    optimizer: Any = torch.optim.SGD([parameter for _, parameter in freezing.parameters], lr=0.0)
    gradients, sums = StageGradients(freezing), {}
    for _ in range(2):
        step(freezing, optimizer)
        gradients.add()
        for info, parameter in freezing.parameters:
            assert parameter.grad is not None
            sums[info.name] = sums.get(info.name, 0) + parameter.grad
    for stage, norm in enumerate(gradients.norms(), 1):
        own = [sums[info.name].flatten() for info, _ in freezing.parameters if info.stage == stage]
        assert norm == pytest.approx(float(torch.cat(own).norm()), rel=1e-5)


AUTO = ("freeze=auto", "optimizer.lr=1e-4")


def frozen_at_the_end(folder: str) -> list[str]:
    rows = list(csv.DictReader(Path(folder, "freeze.csv").read_text().splitlines()))
    return [row["part"] for row in rows if row["epoch"] == rows[-1]["epoch"] and row["trainable"] == "0"]


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("freeze.window=2",), ("trainer.accumulate=2", "data.train_transform=[]")])
def test_a_resumed_run_decides_as_the_uninterrupted_one(
    words: tuple[str, ...], train_tiny: Callable[..., Path], vggexp: Any
) -> None:
    compare(
        (*AUTO, "freeze.percentile=90", "trainer.save_every=1", "trainer.max_epochs=6", *words),
        (3, 1),
        train_tiny,
        vggexp,
    )
    assert frozen_at_the_end("whole")
    rows = [read_checkpoint(Path(name, "checkpoint", "last.ckpt"))["measured"] for name in ("whole", "parts")]
    assert rows[0] == rows[1] != []


@pytest.mark.slow
def test_the_cache_follows_it(tiny: Callable[..., tuple[int, str, str]]) -> None:
    early = ("freeze.percentile=100", "seed=3", "trainer.max_epochs=9")  # stages freeze early enough to keep features
    words = (*AUTO, *early, *DENSE, *FEW, "data.train_transform=[]")
    code, out, errors = tiny(*words, "run.dir=cached")
    assert code == 0, errors
    assert "frozen from epoch" in out
    assert "cache: stage" in out
    assert tiny(*words, "run.dir=plain", "cache=off")[0] == 0
    assert frozen_at_the_end("cached") == frozen_at_the_end("plain") != []
    assert_equal_runs("cached", "plain")
