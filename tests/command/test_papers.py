"""The papers' pipelines by the real command, tiny: patches, FCN's ladder, DeconvNet's stages, and their evaluations."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Vggexp = Callable[..., tuple[int, str, str]]
SEGMENTATION = ("task=segmentation", "data.image_size=[32,32]")


def metrics(file: str) -> dict[str, float]:
    content: dict[str, dict[str, float]] = json.loads(Path(file).read_text())
    return content["metrics"]


@pytest.mark.slow
def test_a_patch_network_scores_the_same_slid_and_dense(train_tiny: Callable[..., Path], vggexp: Vggexp) -> None:
    train_tiny(
        "backbone=patch", "head=patch", "backbone.patch=13", "backbone.depth=[1,1]", "backbone.width=4",
        "head.hidden=[6]", *SEGMENTATION, "data.train_transform=[{CentrePatch: {size: 13}}]",
        "trainer.limit_test_batches=1", "data.batch_size=8",
    )  # fmt: skip
    assert vggexp("evaluate", "run")[0] == 0
    code, out, errors = vggexp("evaluate", "run", "evaluation=patchwise")
    assert code == 0, errors
    assert out.endswith("scores: run/evaluation-test-patchwise.json\n")
    dense, slid = metrics("run/evaluation-test.json"), metrics("run/evaluation-test-patchwise.json")
    assert slid["test/pixel_accuracy"] == pytest.approx(dense["test/pixel_accuracy"], abs=1e-3)
    code, _, errors = vggexp("evaluate", "run", "evaluation=dense")
    assert (code, errors.count("\n")) == (2, 1)


@pytest.mark.slow
def test_an_ensemble_of_a_deconvnet_and_an_fcn_on_proposals(train_tiny: Callable[..., Path], vggexp: Vggexp) -> None:
    crop = "data.train_transform=[{ObjectCrop: {size: [32,32], background: 0}}]"
    train_tiny("head=deconvnet", "head.hidden=8", "head.window=1", *SEGMENTATION, crop, name="crops")
    train_tiny(
        "head=deconvnet", "head.hidden=8", "head.window=1", *SEGMENTATION, "backbone.weights=crops",
        "head.weights=crops", crop.replace("background: 0", "alone: false, keep: 0.5"), name="whole",
    )  # fmt: skip
    train_tiny("head=fcn", "head.hidden=8", *SEGMENTATION, name="fcn")
    for how in ("mean", "product"):
        words = ("checkpoint=[whole,fcn]", f"fusion={how}", f"output={how}.json", "evaluation=proposals")
        code, _, errors = vggexp("evaluate", *words, "trainer.limit_test_batches=8")
        assert code == 0, errors
        assert 0 <= metrics(f"{how}.json")["test/miou"] <= 1
    code, _, errors = vggexp("evaluate", "fcn", "evaluation=patchwise")
    assert (code, errors.count("\n")) == (2, 1)
    assert "evaluation=patchwise slides a classifier of patches, and this run has backbone=vgg11_bn" in errors
    code, _, errors = vggexp("evaluate", "fcn", "evaluation=proposals", "evaluation.shares=[0.5]")
    assert (code, errors.count("\n")) == (2, 1)
    assert "evaluation.shares=[0.5]: give shares of the photo up to 1, with 1.0 among them" in errors


def test_a_head_that_needs_switches_is_refused_by_name(tiny: Callable[..., tuple[int, str, str]]) -> None:
    code, _, errors = tiny(
        "backbone=patch", "backbone.patch=13", "backbone.depth=[1,1]", "backbone.width=4", "head=segnet", *SEGMENTATION
    )
    assert (code, errors.count("\n")) == (2, 1)
    assert "head=segnet" in errors
    assert "switches" in errors
