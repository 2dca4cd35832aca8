"""``optimizer.l2_sp``: the step of the paper's penalty, towards weights that a resumed run still knows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim import SGD

from tests.e2e.test_resume import compare
from tests.learner.test_freezing import bound, state, step
from vggexp.callback.start_pull import StartPull
from vggexp.freeze.stage import Stages
from vggexp.learner.optimizer import Pull, make_optimizer
from vggexp.transfer.checkpoint import read_checkpoint

RATE, ALPHA, BETA = 0.1, 0.3, 0.2


def test_a_step_is_that_of_the_penalised_loss() -> None:
    """Of loss + alpha / 2 |w - w0|^2 + beta / 2 |v|^2, v the head; a step of rate 0 gives the loss's own gradient."""
    torch.manual_seed(0)
    freezing = bound(Stages(2))
    freezing.apply(0)
    pull = Pull(ALPHA, ("backbone.",))
    optimizer = make_optimizer(lambda g: SGD(g, RATE, weight_decay=BETA), freezing, 1, True, pull)
    start_pull = StartPull(freezing, pull.started, 1)
    start = state(freezing)
    with torch.no_grad():
        for _, parameter in freezing.parameters:
            parameter.add_(parameter.requires_grad * 0.01)
    freezing.set_modes(training=True)
    torch.manual_seed(1)
    step(freezing, SGD([parameter for _, parameter in freezing.parameters], 0.0))
    grads = {info.name: p.grad.clone() for info, p in freezing.parameters if p.grad is not None}
    optimizer.register_step_pre_hook(lambda one, *_: start_pull.on_before_optimizer_step(None, None, one))  # type: ignore[arg-type]
    before = state(freezing)
    torch.manual_seed(1)
    step(freezing, optimizer)
    for info, parameter in freezing.parameters:
        w = before[info.name]
        if info.stage in (1, 2):
            assert torch.equal(parameter, w)
            continue
        penalty = ALPHA * (w - start[info.name]) if info.stage else BETA * w
        torch.testing.assert_close(parameter.detach(), w - RATE * (grads[info.name] + penalty))


def test_what_has_no_weight_decay_is_not_pulled_either() -> None:
    freezing = bound(Stages(0))
    optimizer = make_optimizer(
        lambda g: SGD(g, RATE, weight_decay=BETA), freezing, 1, False, Pull(ALPHA, ("backbone.",))
    )
    kinds = {
        group["name"].split()[1]: (group["weight_decay"], group.get("pull", 0)) for group in optimizer.param_groups
    }
    assert kinds == {"spared": (0, 0), "pulled": (0, ALPHA), "decayed": (BETA, 0)}


def test_it_needs_a_source(tiny: Any) -> None:
    code, _, errors = tiny("optimizer.l2_sp=0.1")
    assert code == 2
    assert "backbone.weights=none" in errors


@pytest.mark.slow
@pytest.mark.parametrize("words", [("freeze=stage", "freeze.stages=2"), ("freeze=gradual",)], ids=" ".join)
def test_resume_pulls_to_the_same_start_though_the_source_is_gone(
    words: tuple[str, ...], train_tiny: Callable[..., Path], vggexp: Any
) -> None:
    source = train_tiny("head.hidden=8", "head.pool=1", name="source")
    own = ("optimizer=sgd", "optimizer.l2_sp=0.5", "backbone.weights=source", "trainer.save_every=1")
    compare((*words, *own), (2, 1), train_tiny, vggexp)
    states = [read_checkpoint(Path(name))["state_dict"] for name in ("source", "whole")]
    last = read_checkpoint(Path("whole/checkpoint/last.ckpt"))["callbacks"]
    (start,) = [kept["start"] for name, kept in last.items() if "StartPull" in name]
    assert start
    assert all(torch.equal(tensor, states[0][name]) for name, tensor in start.items())
    assert source.exists()
