from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import nn

from vggexp.loss.cross_entropy import CrossEntropy
from vggexp.loss.parallel import Parallel

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], ["CrossEntropy", "SquaredBox", "CrossEntropy"]),
        (["loss@loss.part.localization=giou"], ["CrossEntropy", "GIoU", "CrossEntropy"]),
        (
            ["loss@loss.part.classification=focal", "loss.part.classification.gamma=3"],
            ["Focal", "SquaredBox", "CrossEntropy"],
        ),
    ],
)
def test_each_part_is_chosen_by_its_path(overrides: list[str], expected: list[str]) -> None:
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = OmegaConf.to_container(compose("loss/parallel", overrides).loss)
    assert isinstance(config, dict)
    del config["scores"]
    for part in config["part"].values():
        del part["scores"]
        part.pop("targets", None)
    loss = instantiate(config, _convert_="all")
    assert isinstance(loss, Parallel)
    assert [type(loss.part[name]).__name__ for name in ("classification", "localization", "segmentation")] == expected


def test_holds_modules() -> None:
    inner = CrossEntropy(class_weight=[1.0, 2.0])
    loss = Parallel({"classification": inner})
    assert isinstance(loss, nn.Module)
    loss.to("meta")
    assert inner.weight is not None
    assert inner.weight.is_meta
