"""Another option of a group for a recorded run: it brings its own defaults, or is refused with the reason."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Vggexp = Callable[..., tuple[int, str, str]]


@pytest.fixture
def recorded(vggexp: Vggexp, stub: Any) -> Path:
    assert vggexp("run.dir=a", "freeze.lr_decay=0.5", "head.hidden=8", "trainer.gpus=0")[0] == 0
    return Path("a")


def rerun(vggexp: Vggexp, *words: str) -> dict[str, Any]:
    code, _, errors = vggexp("rerun", "a", "run.dir=b", *words)
    assert code == 0, errors
    content: dict[str, Any] = yaml.safe_load(Path("b/config.yaml").read_text())
    return content


def test_a_policy_comes_with_its_defaults(recorded: Path, vggexp: Vggexp) -> None:
    config = rerun(vggexp, "freeze=stage", "freeze.stages=2")
    assert config["freeze"] == {"_target_": "vggexp.freeze.stage.Stages", "stages": 2, "lr_decay": 1.0,
                                "norm": "fixed", "dropout": "fixed", "lr_factors": None, "warmup": 0}  # fmt: skip
    assert config["choice"]["freeze"] == "stage"
    assert (config["head"]["hidden"], config["trainer"]["gpus"]) == (8, 0)


def test_a_task_brings_its_head_loss_and_objective(recorded: Path, vggexp: Vggexp) -> None:
    config = rerun(vggexp, "task=segmentation", "logger=[csv,wandb]")
    assert config["head"]["_target_"] == "vggexp.head.unet.UNet"
    assert (config["choice"]["head"], config["objective"]["metric"]) == ("unet", "miou")
    assert config["logger"]["wandb"]["job_type"] == "segmentation"


def test_plus_words_change_the_run(recorded: Path, vggexp: Vggexp) -> None:
    assert rerun(vggexp, "++trainer.max_epochs=3")["trainer"]["max_epochs"] == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("rerun a freeze=backbon", "freeze has no option 'backbon'; did you mean 'backbone'?"),
        ("rerun a experiment=pets", "rerun: experiment=pets cannot change what was recorded"),
        ("rerun a freeze=null", "freeze=null is no option"),
        ("rerun a head.hidden=null", "head.hidden=null is not a whole number"),
        ("rerun a trainer.max_epoch=2", "the run's config has no key 'trainer.max_epoch'; did you mean"),
        ("rerun a ~trainer.clip", "rerun: ~trainer.clip removes a key of the recorded run"),
        ("rerun a data=voc", "data.root is missing; give data.root=..."),
        ("rerun a run=x", "run=x: run holds several keys; set run.KEY=VALUE"),
        ("resume a backbone=vgg11", "resume: backbone=vgg11 cannot change what was recorded: of the groups it takes"),
        ("evaluate a freeze=backbone", "evaluate: freeze=backbone cannot change what was recorded"),
        ("predict a x.jpg data=pets", "predict: data=pets cannot change what was recorded: of the groups it takes non"),
    ],
)
def test_what_cannot_change_is_said(words: str, message: str, recorded: Path, vggexp: Vggexp) -> None:
    Path("x.jpg").touch()
    code, _, errors = vggexp(*words.split())
    assert (code, errors.count("\n")) == (2, 1)
    assert message in errors
