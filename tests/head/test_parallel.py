"""Several heads at once, and how Hydra puts them together."""

from functools import partial
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from vggexp.backbone.vgg import VGG
from vggexp.head.box import Box
from vggexp.head.deconvnet import DeconvNet
from vggexp.head.linear import Linear
from vggexp.head.parallel import Parallel
from vggexp.head.unet import UNet
from vggexp.types import HeadSpec

CONF = Path(__file__).parents[2] / "conf"
BACKBONE = VGG("A", width=1 / 16).eval()
PARTS = {
    "classification": Linear,
    "localization": partial(Box, hidden=[8], pool=2),
    "segmentation": UNet,
    "parts": partial(DeconvNet, hidden=8, window=1),
}


def build(**classes: int) -> Parallel:
    torch.manual_seed(0)
    return Parallel(HeadSpec(BACKBONE.channels, BACKBONE.strides, classes), PARTS).eval()


def test_only_the_tasks_names_are_built() -> None:
    head = build(classification=4, localization=4)
    assert set(head.part) == {"classification", "localization"}
    assert head.reads == frozenset()


def test_reads_what_its_parts_read() -> None:
    assert build(segmentation=3).reads == {"skips"}
    assert build(segmentation=3, parts=2, classification=4).reads == {"skips", "switches"}


def test_each_output_is_its_parts() -> None:
    head = build(classification=4, localization=7, segmentation=3)
    features = BACKBONE(torch.randn(2, 3, 33, 47), head.reads)
    outputs = head(features)
    assert {name: tuple(output.shape) for name, output in outputs.items()} == {
        "classification": (2, 4),
        "localization": (2, 4),
        "segmentation": (2, 3, 33, 47),
    }
    assert all(torch.equal(output, head.part[name](features)) for name, output in outputs.items())


def test_a_name_without_a_part_is_refused() -> None:
    with pytest.raises(ValueError, match="'depth'; it has: classification, localization, parts, segmentation"):
        build(classification=4, depth=1)


def composed(folder: Path, *overrides: str) -> DictConfig:
    """A root configuration that chooses ``head: parallel``, as the program's own does."""
    (folder / "root.yaml").write_text(
        f"defaults: [{{head: parallel}}, _self_]\nhydra: {{searchpath: ['file://{CONF}']}}\n"
    )
    with initialize_config_dir(str(folder), version_base="1.3"):
        return compose("root", list(overrides)).head


def test_hydra_composes_the_parts(tmp_path: Path) -> None:
    head = composed(tmp_path)
    assert {name: part.gives for name, part in head.part.items()} == {
        "classification": "class_logits",
        "localization": "box",
        "multilabel": "class_logits",
        "segmentation": "pixel_logits",
        "detection": "objects",
    }
    assert head.gives == "parallel"


def test_hydra_exchanges_a_part(tmp_path: Path) -> None:
    head = composed(tmp_path, "head@head.part.classification=linear", "head.part.segmentation.width=1")
    assert head.part.classification._target_ == "vggexp.head.linear.Linear"
    assert "hidden" not in head.part.classification
    assert head.part.segmentation.width == 1
    assert head.part.localization.gives == "box"
