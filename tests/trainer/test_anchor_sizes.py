"""Anchors that follow the training objects: what is found stands in the config, and all that uses the run has it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from vggexp.command.restore import restore
from vggexp.config.compose import defaults
from vggexp.sweep.finished import is_same
from vggexp.trainer.anchor_sizes import with_anchors
from vggexp.trainer.network import build_data

Config = Mapping[str, Any]
WORDS = ("task=detection", "data.classes=[1,7]", "data.objects=[1,4]", "backbone=vgg11_bn", "backbone.width=0.0625")


def fitted(*words: str) -> Config:
    config = defaults("train", *WORDS, "run.name=x", *words)
    return with_anchors(config, build_data(config))


def test_sizes_that_are_left_open_follow_the_objects(capsys: pytest.CaptureFixture[str]) -> None:
    """A digit of three is about a fifth of the canvas wide and a third high; the paper's smallest box is a tenth."""
    head = fitted("head=ssd", "head.hidden=16")["head"]
    assert head["fitted"] == ["finest", "scales"]
    assert 0.15 < head["finest"] < head["scales"][0] < head["scales"][1] <= 1
    said = capsys.readouterr().out
    assert f"head.finest={head['finest']} head.scales=[{','.join(map(str, head['scales']))}]: fitted to" in said
    assert fitted("head=ssd", "head.hidden=16")["head"] == head


def test_sizes_that_were_typed_stay_and_a_line_says_if_few_objects_fit(capsys: pytest.CaptureFixture[str]) -> None:
    head = fitted("head=ssd", "head.hidden=16", "head.finest=0.05", "head.scales=[0.8,0.9]")["head"]
    assert (head["finest"], head["scales"], head["fitted"]) == (0.05, [0.8, 0.9], [])
    told = capsys.readouterr().err
    assert "% of the training objects have an anchor of IoU 0.5 or more; head.finest=" in told
    assert told.count("\n") == 1


def test_the_pyramids_anchors_fit_digits_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("head=faster_rcnn_fpn", "head.channels=8", "head.hidden=8")
    assert fitted(*words)["head"]["anchor"] is None
    assert capsys.readouterr() == ("", "")
    fitted(*words, "head.anchor=40")
    assert "; head.anchor=" in capsys.readouterr().err


def test_a_part_of_several_tasks_is_fitted_too() -> None:
    config = fitted("task=multitask", "task.parts=[classification,detection]", "head.part.detection.hidden=8")
    assert config["head"]["part"]["detection"]["fitted"] == ["anchors"]
    assert "fitted" not in config["head"]["part"]["classification"]


def test_a_task_without_objects_is_left_alone() -> None:
    config = defaults("train", "run.name=x")
    assert with_anchors(config, build_data(config)) is config


def test_a_sweep_knows_a_run_by_what_was_open() -> None:
    words = ("head=ssd", "head.hidden=16")
    config = defaults("train", *WORDS, "run.name=x", *words)
    recorded = fitted(*words)
    assert is_same(recorded, config, dict)
    numbers = {key: recorded["head"][key] for key in ("finest", "scales")}
    typed = {**config, "head": {**config["head"], **numbers}}
    assert not is_same(recorded, typed, dict)


@pytest.mark.slow
def test_a_run_keeps_its_numbers(tiny: Callable[..., tuple[int, str, str]], vggexp: Any) -> None:
    """The config in the folder has them, and so has the restored network; resume and rerun fit nothing anew."""
    words = ("task=detection", "head=ssd", "head.hidden=16", "data.objects=[1,3]", "data.size=[12,20]", "callback=[]")
    code, out, errors = tiny(*words, "run.dir=one")
    assert code == 0, errors
    assert "fitted to" in out
    head = yaml.safe_load(Path("one/config.yaml").read_text())["head"]
    assert head["fitted"] == ["finest", "scales"]
    anchors = restore(Path("one"), {}).learner.head.anchors
    assert not anchors.unset
    assert anchors.scales[:2] == pytest.approx([head["finest"], head["scales"][0]])
    for again in (("resume", "one", "trainer.max_epochs=2"), ("rerun", "one", "run.dir=two")):
        code, out, errors = vggexp(*again)
        assert code == 0, errors
        assert "fitted to" not in out
    assert yaml.safe_load(Path("two/config.yaml").read_text())["head"] == head
