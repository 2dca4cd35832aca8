"""Which stages ``freeze=thaw`` trains, by hand; what it measured survives resume, and reaches the optimizer."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.cache.test_feature_cache import DENSE, FEW, assert_equal_runs
from tests.e2e.test_resume import compare
from tests.learner.test_freezing import bound, step
from vggexp.freeze.none import Nothing
from vggexp.freeze.thaw import Thaw
from vggexp.learner.optimizer import begin_epoch, make_optimizer
from vggexp.learner.stage_gradients import StageGradients
from vggexp.transfer.checkpoint import read_checkpoint
from vggexp.types import ParameterInfo

HEADS = [8.0, 9.0, 4.6, 4.5, 6.0, 3.1, 2.9, 7.0]
# Half of 9 is 4.5: settled in the fourth interval. From then on the largest is 6: settled at 2.9. Then it begins anew.
ROWS = [[0.0, 0.0, 0.0, 0.0, 0.0, head] for head in HEADS]


def trains(policy: Thaw, epoch: int) -> list[int]:
    return [stage for stage in range(1, 6) if policy(epoch, ParameterInfo("", stage))]


def test_a_stage_trains_each_time_the_head_has_settled() -> None:
    policy = Thaw()
    policy.measured = ROWS
    assert [trains(policy, epoch) for epoch in range(9)] == [[]] * 4 + [[5]] * 3 + [[4, 5]] * 2


def test_an_interval_of_several_epochs_and_a_larger_share() -> None:
    slow, soon = Thaw(window=2), Thaw(settled=0.99)
    slow.measured = soon.measured = ROWS
    assert [trains(slow, epoch) for epoch in (7, 8)] == [[], [5]]
    assert [soon.thawed(epoch) for epoch in range(9)] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_there_are_no_more_stages_than_the_network_has() -> None:
    policy = Thaw()
    policy.measured = [[0.0] * 5 + [float(2 + place % 2 * -1.5)] for place in range(20)]
    assert policy.thawed(20) == 10
    assert trains(policy, 20) == [1, 2, 3, 4, 5]


def test_the_heads_measure_follows_those_of_the_stages() -> None:
    torch.manual_seed(0)
    freezing = bound(Nothing())
    optimizer: Any = torch.optim.SGD([parameter for _, parameter in freezing.parameters], lr=0.0)
    step(freezing, optimizer)
    with_head, without = StageGradients(freezing, head=True), StageGradients(freezing)
    with_head.add()
    without.add()
    *stages, head = with_head.norms()
    own = [parameter.grad.flatten() for info, parameter in freezing.parameters if info.stage is None]  # type: ignore[union-attr]
    assert stages == without.norms()
    assert head == pytest.approx(float(torch.cat(own).norm()), rel=1e-5)


def test_a_thawed_stage_learns_at_its_own_rate() -> None:
    """The optimizer is made before anything is measured, when the factor of every stage is 0."""
    policy = Thaw()
    freezing = bound(policy, lr_decay=0.5)
    optimizer = make_optimizer(torch.optim.SGD, freezing, 4, decay_biases_and_norms=True)
    assert [group["factor"] for group in optimizer.param_groups] == [0.5**depth for depth in (5, 4, 3, 2, 1, 0)]
    policy.measured = ROWS[:4]
    freezing.apply(4)
    begin_epoch(optimizer, 3)
    before = {info.name: parameter.detach().clone() for info, parameter in freezing.parameters}
    step(freezing, optimizer)
    moved = {info.stage for info, parameter in freezing.parameters if not torch.equal(parameter, before[info.name])}
    assert moved == {5, None}


THAW = ("freeze=thaw", "freeze.settled=0.95", "optimizer.lr=0.01")


def trained_at_the_end(folder: str) -> list[str]:
    rows = list(csv.DictReader(Path(folder, "freeze.csv").read_text().splitlines()))
    return [row["part"] for row in rows if row["epoch"] == rows[-1]["epoch"] and float(row["learning_rate"])]


@pytest.mark.slow
def test_a_resumed_run_decides_as_the_uninterrupted_one(train_tiny: Callable[..., Path], vggexp: Any) -> None:
    compare((*THAW, "trainer.save_every=1", "trainer.max_epochs=6"), (3, 1), train_tiny, vggexp)
    assert "stage5" in trained_at_the_end("whole")
    rows = [read_checkpoint(Path(name, "checkpoint", "last.ckpt"))["measured"] for name in ("whole", "parts")]
    assert rows[0] == rows[1] != []


@pytest.mark.slow
def test_the_cache_follows_it(tiny: Callable[..., tuple[int, str, str]]) -> None:
    words = (*THAW, *DENSE, *FEW, "data.train_transform=[]", "trainer.max_epochs=6")
    code, out, errors = tiny(*words, "run.dir=cached")
    assert code == 0, errors
    assert "trains from epoch" in out
    assert "cache: stage" in out
    assert tiny(*words, "run.dir=plain", "cache=off")[0] == 0
    assert trained_at_the_end("cached") == trained_at_the_end("plain") != ["head"]
    assert_equal_runs("cached", "plain")
