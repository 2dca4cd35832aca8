"""A task brings its head and loss, each still overridable; Hydra's order of overrides is what makes it so."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

CONF = Path(__file__).parents[2] / "conf"
ROOT = """\
defaults:
  - head: mlp
  - loss: cross_entropy
  - task: classification
  - experiment: null
  - _self_
data: {image_size: [64, 64]}
"""
EXPERIMENT = """\
# @package _global_
defaults:
  - override /task: segmentation
  - override /head: fcn
  - override /loss: dice
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("conf")
    for group in ("head", "loss", "task"):
        shutil.copytree(CONF / group, folder / group)
    (folder / "experiment").mkdir()
    (folder / "experiment" / "one.yaml").write_text(EXPERIMENT)
    (folder / "train.yaml").write_text(ROOT)
    return folder


def composed(root: Path, *overrides: str) -> Any:
    with initialize_config_dir(str(root), version_base="1.3"):
        return OmegaConf.to_container(compose("train", list(overrides)), resolve=True)


def words(root: Path, *overrides: str) -> tuple[str, ...]:
    """(task, head, loss), as the last word of each _target_'s module."""
    config = composed(root, *overrides)
    return tuple(config[group]["_target_"].split(".")[-2] for group in ("task", "head", "loss"))


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], ("classification", "mlp", "cross_entropy")),
        (["task=localization"], ("localization", "box", "squared_box")),
        (["task=segmentation"], ("segmentation", "unet", "cross_entropy")),
        (["task=multitask"], ("multitask", "parallel", "parallel")),
        (["task=segmentation", "head=fcn"], ("segmentation", "fcn", "cross_entropy")),
        (["loss=giou", "task=localization"], ("localization", "box", "giou")),
        (["experiment=one"], ("segmentation", "fcn", "dice")),
        (["experiment=one", "loss=lovasz"], ("segmentation", "fcn", "lovasz")),
    ],
)
def test_a_task_brings_its_head_and_loss(root: Path, overrides: list[str], expected: tuple[str, ...]) -> None:
    assert words(root, *overrides) == expected


def test_every_part_of_multitask_is_the_task_itself(root: Path) -> None:
    config = composed(root, "task=multitask")["task"]
    assert config["part"].keys() == {"classification", "localization", "multilabel", "segmentation", "detection"}
    for name, part in config["part"].items():
        assert part == composed(root, f"task={name}")["task"]
    assert config["parts"] == ["classification", "localization"]


def test_a_part_and_its_loss_can_be_changed(root: Path) -> None:
    overrides = ["task=multitask", "loss@loss.part.localization=giou", "task.part.localization.format=center"]
    config = composed(root, *overrides)
    assert config["loss"]["part"]["localization"]["_target_"] == "vggexp.loss.giou.GIoU"
    assert config["task"]["part"]["localization"]["format"] == "center"
