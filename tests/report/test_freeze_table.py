"""The line about parts that a freeze policy would train only after the run has ended."""

from typing import Any

import pytest

from vggexp.backbone.vgg import VGG
from vggexp.freeze.auto import Auto
from vggexp.freeze.backbone import WholeBackbone
from vggexp.freeze.bias import BiasOnly
from vggexp.freeze.gradual import Gradual
from vggexp.freeze.linear_probe import LinearProbe
from vggexp.freeze.none import Nothing
from vggexp.freeze.stage import Stages
from vggexp.head.mlp import MLP
from vggexp.learner.freezing import Freezing
from vggexp.report.freeze_table import late_parts, print_freezing
from vggexp.types import FreezePolicy, HeadSpec


def freezing(policy: FreezePolicy) -> Freezing:
    """The policy on a small VGG11 with a dense head."""
    backbone = VGG("A", width=0.125)
    spec = HeadSpec(backbone.channels, backbone.strides, {"classification": 3})
    return Freezing(policy, backbone, MLP(spec, hidden=8, pool=1))


@pytest.mark.parametrize(
    ("policy", "epochs", "late"),
    [
        (LinearProbe(5), 3, {f"stage{k}": 5 for k in range(1, 6)}),
        (LinearProbe(5), 5, {f"stage{k}": 5 for k in range(1, 6)}),
        (LinearProbe(5), 6, {}),
        (Gradual(every=2), 7, {"stage1": 10, "stage2": 8}),
        (Gradual(every=2), 11, {}),
        (WholeBackbone(), 1, {}),
    ],
)
def test_parts_that_would_train_after_the_end(policy: FreezePolicy, epochs: int, late: dict[str, int]) -> None:
    assert late_parts(freezing(policy), epochs) == late


def test_the_note_says_how_many_epochs_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    print_freezing(freezing(Gradual(every=2)), "gradual", 7)
    shown = " ".join(capsys.readouterr().out.split())
    assert "the run ends before freeze=gradual trains stage1, stage2: give at least 11 epochs" in shown
    print_freezing(freezing(Gradual(every=2)), "gradual", 11)
    assert "ends before" not in capsys.readouterr().out


NOTE = "has no effect: freeze"


def trains(freezing: Freezing, epochs: int) -> list[list[bool]]:
    """By epoch: whether each layer is in training mode."""
    found = []
    for epoch in range(epochs):
        freezing.apply(epoch)
        freezing.set_modes(training=True)
        found.append([layer.training for part in freezing.parts.values() for layer in part.modules()])
    return found


@pytest.mark.parametrize(
    ("policy", "words", "epochs", "noted"),
    [
        (Nothing(), {"warmup": 2}, 3, ["freeze.warmup=2"]),
        (Nothing(), {"norm": "update", "dropout": "active"}, 3, ["freeze.norm=update", "freeze.dropout=active"]),
        (Stages(1), {"warmup": 1, "dropout": "active"}, 3, ["freeze.dropout=active"]),  # dropout is in the head
        (Stages(1), {"norm": "update"}, 3, []),
        (BiasOnly(), {"norm": "update"}, 3, ["freeze.norm=update"]),  # the shifts train, so no norm layer is frozen
        (LinearProbe(2), {"warmup": 1}, 3, []),
        (Gradual(every=1, first=5), {"warmup": 2}, 3, ["freeze.warmup=2"]),
        (Auto(), {"norm": "update"}, 3, []),  # it has yet to measure
        (Nothing(), {}, 3, []),
    ],
)
def test_settings_of_frozen_layers_where_none_is_frozen(
    policy: FreezePolicy, words: dict[str, Any], epochs: int, noted: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    backbone = VGG("A", batch_norm=True, width=0.05)
    spec = HeadSpec(backbone.channels, backbone.strides, {"classification": 3})
    bound = Freezing(policy, backbone, MLP(spec, hidden=8, pool=1), **words)
    assert list(bound.without_effect(epochs)) == noted
    idle = {word.partition("=")[0].removeprefix("freeze.") for word in noted}
    plain = Freezing(policy, backbone, bound.parts["head"], **{k: v for k, v in words.items() if k not in idle})
    assert trains(plain, epochs) == trains(bound, epochs)  # without the words that have no effect
    if len(noted) < len(words) and not bound.measuring:
        assert trains(Freezing(policy, backbone, bound.parts["head"]), epochs) != trains(bound, epochs)
    print_freezing(bound, "x", epochs)
    assert capsys.readouterr().out.count(NOTE) == len(noted)
