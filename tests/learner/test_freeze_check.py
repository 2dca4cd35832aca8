"""A policy that lies, a statistic that moves, a wrong group, a process that differs: each fails the proof by name."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim import SGD

from vggexp.backbone.vgg import VGG
from vggexp.errors import FreezeError
from vggexp.freeze.gradual import Gradual
from vggexp.freeze.stage import Stages
from vggexp.head.linear import Linear
from vggexp.learner.freeze_check import check_frozen, check_groups, check_ranks, network_hashes, tensor_hash
from vggexp.learner.freezing import Freezing
from vggexp.learner.learner import Learner
from vggexp.learner.optimizer import make_optimizer
from vggexp.types import FreezePolicy, HeadSpec, ParameterInfo

Train = Callable[..., Path]
SMALL = ("head.hidden=8", "head.pool=1")


def bound(policy: FreezePolicy) -> Freezing:
    backbone = VGG("A", batch_norm=True, width=0.05)
    freezing = Freezing(policy, backbone, Linear(HeadSpec(backbone.channels, backbone.strides, {"a": 3})))
    freezing.apply(0)
    return freezing


def test_a_hash_depends_on_every_bit_and_not_on_the_layout() -> None:
    tensor = torch.randn(2, 3, 4, 5)
    assert tensor_hash(tensor) == tensor_hash(tensor.contiguous(memory_format=torch.channels_last))
    assert tensor_hash(torch.zeros(3)) != tensor_hash(torch.tensor([0.0, -0.0, 0.0]))
    assert tensor_hash(tensor.bfloat16()) != tensor_hash(tensor)
    assert tensor_hash(torch.tensor(3)) == tensor_hash(torch.tensor(3).clone())


@pytest.mark.parametrize("name", ["backbone.features.0.weight", "backbone.features.5.running_var"])
def test_what_moved_is_named(name: str) -> None:
    freezing = bound(Stages(2))
    before = network_hashes(freezing)
    check_frozen(freezing, before, network_hashes(freezing), 0)
    tensors = {key: tensor for part in freezing.tensors().values() for key, tensor in part.items()}
    with torch.no_grad():
        tensors["backbone.features.8.weight"].add_(1)  # it trains
        check_frozen(freezing, before, network_hashes(freezing), 0)
        tensors[name].flatten()[0] += 1e-6
    with pytest.raises(FreezeError, match=f"^{name} was frozen in epoch 0, but its value changed$"):
        check_frozen(freezing, before, network_hashes(freezing), 0)


def test_groups() -> None:
    freezing = bound(Gradual())
    optimizer = make_optimizer(lambda groups: SGD(groups, 0.1), freezing, 3, True)
    check_groups(freezing, optimizer, 0)
    optimizer.param_groups[-1]["params"].pop()
    with pytest.raises(FreezeError, match=r"head\.classifier\.bias was trainable in epoch 0, but it is in 0 opt"):
        check_groups(freezing, optimizer, 0)
    parameter = freezing.parameters[0][1]
    parameter.grad = torch.zeros_like(parameter)
    with pytest.raises(
        FreezeError, match=r"backbone\.features\.0\.weight was frozen in epoch 0, but it has a gradient"
    ):
        check_groups(freezing, optimizer, 0)


def test_processes_that_differ() -> None:
    check_ranks({"stage1": [5, 5, 5], "head": [7, 7, 7]}, 2)
    with pytest.raises(FreezeError, match="after epoch 2 the ranks of this run hold different weights in head"):
        check_ranks({"stage1": [5, 5, 5], "head": [7, 8, 7]}, 2)


class Liar:
    """Says one thing when it is applied and another when it is asked after a step: no pure function."""

    constant = False
    has_trained = False

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        return 0.0 if parameter.stage == 1 and Liar.has_trained else 1.0


def test_a_policy_that_lies_stops_the_run(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(self: Learner, batch: Any, batch_idx: int) -> Any:
        Liar.has_trained = True
        return step(self, batch, batch_idx)

    step = Learner.training_step
    monkeypatch.setattr(Liar, "has_trained", False)
    monkeypatch.setattr(Learner, "training_step", train)
    monkeypatch.setattr("vggexp.freeze.none.Nothing", Liar)
    code, _, errors = tiny(*SMALL, "run.dir=run")
    assert code == 1
    assert "vggexp: error: backbone.features.0.weight was frozen in epoch 0, but" in errors
    assert not Path("run/summary.json").exists()


def test_statistics_that_move_stop_the_run(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Freezing, "set_modes", lambda *_args, **_settings: None)
    code, _, errors = tiny(*SMALL, "freeze=backbone", "run.dir=run")
    assert code == 1
    assert "backbone.features.1.running_mean was frozen in epoch 0, but its value changed" in errors


def test_the_ledger_of_a_run(train_tiny: Train) -> None:
    folder = train_tiny(*SMALL, "freeze=gradual", "freeze.every=1", "trainer.max_epochs=3", "trainer.val_every=2")
    with (folder / "freeze.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["epoch"], row["part"]) for row in rows] == [
        (str(epoch), part) for epoch in range(3) for part in ("stage1", "stage2", "stage3", "stage4", "stage5", "head")
    ]
    for row in rows:
        trains = row["part"] == "head" or int(row["part"][-1]) > 5 - int(row["epoch"])
        assert row["trainable"] == (row["parameters"] if trains else "0")
        assert (float(row["learning_rate"]) > 0) == trains
        assert (row["weights_start"] != row["weights_end"]) == trains
        assert (row["buffers_start"] != row["buffers_end"]) == (trains and row["part"] != "head")
        assert (row["part"] == "head") == (row["buffers_start"] == "")
    for one, following in zip(rows, rows[6:], strict=False):
        assert (one["weights_end"], one["buffers_end"]) == (following["weights_start"], following["buffers_start"])
    drift = json.loads((folder / "summary.json").read_text())["drift"]
    # The best checkpoint is of the only epoch that was validated, the second: stage 5 had trained for one.
    assert [drift[f"stage{number}"] for number in (1, 2, 3, 4)] == [0, 0, 0, 0]
    assert drift["stage5"] > 0
    assert drift["head"] > 0
