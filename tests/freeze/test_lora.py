"""Adapters change nothing at first, train alone, and come to a plain network for whoever reads the run."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import SGD

from tests.command.test_predict import rows, write
from tests.e2e.test_resume import compare
from tests.learner.test_freezing import bound, step
from vggexp.backbone.vgg import VGG
from vggexp.freeze.lora import Lora
from vggexp.freeze.ssf import ScaleShift
from vggexp.learner.optimizer import make_optimizer
from vggexp.transfer.adapters import is_adapted, merged
from vggexp.transfer.checkpoint import read_checkpoint

POLICIES = [Lora(2), Lora(2, [5]), ScaleShift(), ScaleShift([4, 5])]


@pytest.mark.parametrize("policy", POLICIES)
def test_the_merged_network_is_the_trained_one(policy: Any) -> None:
    torch.manual_seed(0)
    freezing = bound(policy)
    plain = VGG("A", batch_norm=True, width=0.05)
    plain.load_state_dict(merged(freezing._roots["backbone"].state_dict()))
    first = {name: tensor.clone() for name, tensor in plain.state_dict().items()}
    freezing.apply(0)
    optimizer = make_optimizer(lambda groups: SGD(groups, 0.01), freezing, 1, True)
    for _ in range(2):
        freezing.set_modes(training=True)
        step(freezing, optimizer)
    freezing.set_modes(training=False)
    plain.load_state_dict(merged(freezing._roots["backbone"].state_dict()))
    x, trained = torch.randn(2, 3, 32, 32), freezing._roots["backbone"]
    found, expected = plain.eval()(x).stages, trained(x).stages
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    moved = {name.split(".")[1] for name, tensor in plain.state_dict().items() if not torch.equal(tensor, first[name])}
    stages = policy.stages or [1, 2, 3, 4, 5]
    convolutions = [l for k in stages for l in freezing.parts[f"stage{k}"] if isinstance(l, nn.Conv2d)]  # type: ignore[union-attr]  # noqa: E741
    assert len(moved) == len(convolutions)


def test_outputs_do_not_change_at_first_and_twice_adds_nothing() -> None:
    network = VGG("A", width=0.05)
    before = deepcopy(network)
    for policy in POLICIES:
        policy.adapt(network.stages())  # type: ignore[attr-defined]
        count = len(list(network.parameters()))
        policy.adapt(network.stages())  # type: ignore[attr-defined]
        assert len(list(network.parameters())) == count
    x = torch.randn(2, 3, 32, 32)
    assert all(torch.equal(one, other) for one, other in zip(network(x).stages, before(x).stages, strict=True))


def test_the_number_of_parameters() -> None:
    with torch.device("meta"):
        network = VGG("A")
    plain = sum(parameter.numel() for parameter in network.parameters())
    Lora(4, [1, 2]).adapt(network.stages())
    assert sum(p.numel() for p in network.parameters()) - plain == 4 * (27 + 64) + 4 * (9 * 64 + 128)


def test_batch_normalisation_without_biased_convolutions_gets_scale_and_shift_and_stays_fixed() -> None:
    stage = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4))
    ScaleShift().adapt([stage])
    assert [name for name, _ in stage.named_parameters()] == [
        "0.weight", "1.parametrizations.weight.original", "1.parametrizations.weight.0.scale",
        "1.parametrizations.bias.original", "1.parametrizations.bias.0.shift",
    ]  # fmt: skip


def test_a_stage_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="the backbone has no stage 6; its stages are 1 to 5"):
        bound(Lora(1, [6]))


@pytest.mark.slow
@pytest.mark.parametrize("words", [("freeze=lora",), ("freeze=ssf",)], ids="".join)
def test_readers_of_the_run(words: tuple[str, ...], train_tiny: Callable[..., Path], vggexp: Any) -> None:
    small = ("head.hidden=8", "head.pool=1", "optimizer.lr=0.01")
    run = train_tiny(*small, *words, "trainer.max_epochs=2")
    state = read_checkpoint(run)["state_dict"]
    assert is_adapted(state)
    summary = json.loads((run / "summary.json").read_text())
    assert summary["trainable_parameters"] < summary["parameters"]
    said = vggexp("evaluate", str(run), "trainer.limit_test_batches=1")
    assert said[0] == 0, said[2]
    found = json.loads((run / "evaluation-test.json").read_text())["metrics"]
    assert found["test/loss"] == pytest.approx(summary["metrics"]["test/loss"], abs=1e-5)
    write("photos/a.png", 70, 50)
    said = vggexp("predict", str(run), "photos", "output=out")
    assert said[0] == 0, said[2]
    for form, suffix in (("safetensors", "safetensors"), ("onnx", "onnx")):
        code, _, errors = vggexp("export", str(run), f"format={form}")
        assert code == 0, errors
        assert (run / "export" / f"run.{suffix}").exists()
    said = vggexp("evaluate", str(run / "export" / "run.safetensors"), "trainer.limit_test_batches=1", "output=e.json")
    assert said[0] == 0, said[2]
    said = vggexp("predict", str(run / "export" / "run.safetensors"), "photos", "output=plain")
    assert said[0] == 0, said[2]
    (adapted,), (plain,) = rows("out"), rows("plain")
    assert adapted["class"] == plain["class"]
    assert adapted["probability"] == pytest.approx(plain["probability"], abs=1e-5)
    next_run = train_tiny(*small, "freeze=backbone", f"backbone.weights={run}", name="next")
    weights = read_checkpoint(next_run)["state_dict"]
    assert all(torch.equal(tensor, weights[name]) for name, tensor in merged(state).items() if name[0] == "b")
    code, _, errors = vggexp("graft", str(run), str(next_run), "output=both")  # two classifiers: refused, with a line
    assert code == 2
    assert "runs of classification" in errors


@pytest.mark.slow
@pytest.mark.parametrize("words", [("freeze=lora", "freeze.stages=[4,5]"), ("freeze=ssf", "trainer.ema=0.9")])
def test_resume(words: tuple[str, ...], train_tiny: Callable[..., Path], vggexp: Any) -> None:
    compare((*words, "trainer.save_every=1"), (2, 1), train_tiny, vggexp)


@pytest.mark.slow
def test_a_run_beside_it_grafts(train_tiny: Callable[..., Path], vggexp: Any) -> None:
    run = train_tiny("head.hidden=8", "head.pool=1", "freeze=lora", "optimizer.lr=0.01", name="a")
    train_tiny("task=localization", "head.hidden=[8]", "freeze=backbone", "backbone.weights=a", name="b")
    code, out, errors = vggexp("graft", str(run), "b", "output=both")
    assert code == 0, errors
    assert "equal, byte for byte" in out
