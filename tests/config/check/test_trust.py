"""The config of a run folder or a checkpoint makes only the offered classes, and those of modules that one trusts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from vggexp.config.check.trust import check_recorded
from vggexp.errors import ConfigError
from vggexp.transfer.renamed import renew

Vggexp = Callable[..., tuple[int, str, str]]
RECORDED = Path(__file__).parents[2] / "e2e" / "recorded"


@pytest.mark.parametrize("task", ["classification", "localization", "multitask", "segmentation"])
def test_our_own_runs_are_made(task: str) -> None:
    check_recorded("runs/x", renew(yaml.safe_load((RECORDED / task / "config.yaml").read_text())))


@pytest.mark.parametrize(
    "target",
    [
        "torch.load", "torch.hub.load", "os.system", "builtins.exec", "torch.optim.optimizer.torch.load",
        "vggexp.data.auto.import_module", "vggexp.__main__.enter", "hydra.utils.instantiate", "${x}", "mypackage.A",
        "mypackages.A",
    ],
)  # fmt: skip
def test_what_is_not_offered_is_refused_wherever_it_stands(target: str) -> None:
    config = {"data": {"train_transform": [{"a": {"_target_": target}}]}}
    with pytest.raises(ConfigError, match=r"x\.ckpt: its config names _target_: .* which was not run; "):
        check_recorded("x.ckpt", config)


def test_no_value_is_computed() -> None:
    with pytest.raises(ConfigError, match="its config computes a value"):
        check_recorded("x.ckpt", {"loss": {"a": "${oc.create:'{_target_: os.system}'}"}})


@pytest.mark.parametrize("target", ["torch.optim.RMSprop", "torch.nn.L1Loss", "torchmetrics.Accuracy"])
def test_public_classes_of_the_libraries_are_made(target: str) -> None:
    check_recorded("x.ckpt", {"loss": {"_target_": target}})


def test_a_trusted_module_but_nothing_that_it_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("trusted_one").mkdir()
    Path("trusted_one/__init__.py").touch()
    Path("trusted_one/mine.py").write_text("import os")
    monkeypatch.syspath_prepend(Path.cwd())
    check_recorded("x.ckpt", {"data": {"_target_": "trusted_one.mine.Data"}}, ["trusted_one"])
    with pytest.raises(ConfigError, match=r"add trust=\[trusted_one\]"):
        check_recorded("x.ckpt", {"data": {"_target_": "trusted_one.mine.os.system"}}, ["trusted_one"])


def hostile() -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((RECORDED / "classification" / "config.yaml").read_text())
    return {**config, "loss": {**config["loss"], "_target_": "pathlib.Path.touch", "self": "touched"}}


def test_rerun_and_resume_run_no_code_of_a_folder(vggexp: Vggexp) -> None:
    Path("x").mkdir()
    Path("x/config.yaml").write_text(yaml.safe_dump(hostile()))
    for verb in ("rerun", "resume"):
        code, _, errors = vggexp(verb, "x")
        assert (code, errors.count("\n")) == (2, 1)
        assert "x: its config names _target_: pathlib.Path.touch" in errors
    assert not Path("touched").exists()


@pytest.mark.parametrize("words", ["evaluate x.ckpt", "predict x.ckpt k.png", "export x.ckpt", "summary x.ckpt"])
def test_verbs_run_no_code_of_a_checkpoint(words: str, vggexp: Vggexp) -> None:
    Path("k.png").touch()
    torch.save({"config": hostile(), "info": {"classes": ["a"], "mask_classes": []}, "state_dict": {}}, "x.ckpt")
    code, _, errors = vggexp(*words.split())
    assert code == 2
    assert "x.ckpt: its config names _target_: pathlib.Path.touch" in errors
    assert "trust=[pathlib]" in errors


def test_a_changed_key_is_checked_as_in_a_training(vggexp: Vggexp) -> None:
    config = yaml.safe_load((RECORDED / "classification" / "config.yaml").read_text())
    torch.save({"config": config, "info": {"classes": ["a"], "mask_classes": []}, "state_dict": {}}, "x.ckpt")
    for word, message in (
        ("trainer.gpus=abc", "trainer.gpus=abc is not a whole number"),
        ("trainer.precision=null", "trainer.precision=null is not text or a whole number"),
        ("data.batch_size=null", "data.batch_size=null is not a whole number"),
    ):
        code, _, errors = vggexp("evaluate", "x.ckpt", word)
        assert code == 2
        assert message in errors
