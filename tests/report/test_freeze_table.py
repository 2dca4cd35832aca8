"""The line about parts that a freeze policy would train only after the run has ended."""

import pytest

from vggexp.backbone.vgg import VGG
from vggexp.freeze.backbone import WholeBackbone
from vggexp.freeze.gradual import Gradual
from vggexp.freeze.linear_probe import LinearProbe
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
