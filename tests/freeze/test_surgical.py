"""``freeze=surgical`` trains the stages whose gradients are largest for their weights, and remembers which."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.e2e.test_resume import compare
from tests.freeze.test_auto import frozen_at_the_end
from tests.learner.test_freezing import bound, step
from vggexp.freeze.none import Nothing
from vggexp.freeze.surgical import Surgical
from vggexp.learner.stage_gradients import StageGradients
from vggexp.transfer.checkpoint import read_checkpoint


def test_the_largest_are_chosen() -> None:
    policy = Surgical(tuned=2)
    policy.measured = [[0.1, 0.9, 0.2, 0.3, 0.3]]
    assert policy.chosen == [2, 5]


def test_the_measure_is_relative_to_the_weights() -> None:
    torch.manual_seed(0)
    freezing = bound(Nothing())
    optimizer: Any = torch.optim.SGD([parameter for _, parameter in freezing.parameters], lr=0.0)
    step(freezing, optimizer)
    gradients = StageGradients(freezing)
    gradients.add()
    for stage, found in enumerate(gradients.relative_norms(), 1):
        own = [parameter for info, parameter in freezing.parameters if info.stage == stage]
        both = ([p.grad for p in own if p.grad is not None], [p.detach() for p in own])
        norms = [torch.cat([t.flatten() for t in some]).norm() for some in both]
        assert found == pytest.approx(float(norms[0] / norms[1]), rel=1e-5)


@pytest.mark.slow
def test_the_choice_is_recorded_and_a_resumed_run_keeps_it(
    train_tiny: Callable[..., Path], vggexp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare(("freeze=surgical", "freeze.tuned=2", "trainer.save_every=1"), (2, 1), train_tiny, vggexp)
    (row,) = read_checkpoint(Path("whole/checkpoint/last.ckpt"))["measured"]
    ranked = sorted(range(5), key=row.__getitem__)
    assert frozen_at_the_end("whole") == sorted(f"stage{place + 1}" for place in ranked[:3])
    assert len(set(row)) == 5


@pytest.mark.slow
def test_measuring_changes_nothing_else(train_tiny: Callable[..., Path]) -> None:
    """All five stages chosen: the run of freeze=none, to the bit, although its first batches were seen before."""
    small = ("head.hidden=8", "head.pool=1", "trainer.max_epochs=2")
    one = train_tiny(*small, "freeze=surgical", "freeze.tuned=5", name="one")
    other = train_tiny(*small, name="other")
    states = [read_checkpoint(folder / "checkpoint" / "last.ckpt")["state_dict"] for folder in (one, other)]
    assert [name for name in states[0] if not torch.equal(states[0][name], states[1][name])] == []
