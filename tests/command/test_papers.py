"""The papers' pipelines by the real command, tiny: patches, FCN's ladder, DeconvNet's stages, and their evaluations."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import PetsTree

Vggexp = Callable[..., tuple[int, str, str]]
SEGMENTATION = ("task=segmentation", "data.image_size=[32,32]")

ONE_STEP = (
    "trainer.max_epochs=1", "trainer.limit_train_batches=1", "trainer.limit_val_batches=1",
    "trainer.limit_test_batches=1", "data.workers=0",
)  # fmt: skip


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


@pytest.mark.slow
def test_overfeat_s_pipeline_of_a_grafted_classifier_and_localizer(
    train_tiny: Callable[..., Path], vggexp: Vggexp
) -> None:
    train_tiny("task=classification", "head.hidden=8", "head.pool=1", name="classifier")
    train_tiny(
        "task=localization", "head.hidden=[8,4]", "head.pool=1", "freeze=backbone", "backbone.weights=classifier",
        name="localizer",
    )  # fmt: skip
    assert vggexp("graft", "classifier", "localizer", "output=both")[0] == 0
    few = ("data.canvas=64", "trainer.limit_test_batches=8")
    code, out, errors = vggexp("evaluate", "both", "evaluation=overfeat", "evaluation.sides=[64,80]", *few)
    assert code == 0, errors
    assert out.endswith("scores: both/evaluation-test-overfeat-64-80.json\n")
    scores = metrics("both/evaluation-test-overfeat-64-80.json")
    assert 0 <= scores["test/box_error_top1"] <= 1
    assert scores["test/box_error_top5"] <= scores["test/box_error_top1"]
    code, _, errors = vggexp("evaluate", "classifier", "evaluation=overfeat", *few)
    assert code == 0, errors
    assert 0 <= metrics("classifier/evaluation-test-overfeat.json")["test/top1"] <= 1
    Image.effect_noise((90, 70), 80).convert("RGB").save("photo.png")
    code, _, errors = vggexp("predict", "both", "photo.png", "evaluation=overfeat", "evaluation.sides=[40]")
    assert code == 0, errors
    row = json.loads(Path("predictions/predictions.jsonl").read_text())
    assert sum(row["probability"].values()) == pytest.approx(1, abs=1e-3)
    with Image.open(Path("predictions", row["overlay"])) as picture, Image.open("photo.png") as photo:
        assert picture.width > 3 * photo.width  # windows, boxes, the merged one
    for run, words, why in (
        ("localizer", (), "evaluation=overfeat joins a classifier and a localizer, and this run has task=localization"),
        ("both", ("evaluation.sides=[16]",), "evaluation.sides=16 is not a whole number of at least 32"),
        ("both", ("evaluation.top=0",), "evaluation.top=0"),
    ):
        code, _, errors = vggexp("evaluate", run, "evaluation=overfeat", *words)
        assert (code, errors.count("\n")) == (2, 1)
        assert why in errors


@pytest.mark.slow
def test_overfeat_s_fast_network_trains_and_caches(train_tiny: Callable[..., Path], vggexp: Vggexp) -> None:
    words = ("backbone=overfeat_fast", "backbone.batch_norm=true", "data.image_size=[71,71]", "head.pool=1")
    train_tiny(*words, "task=classification", "head.hidden=[8,6]", name="classifier")
    train_tiny(
        *words, "task=localization", "head=box_per_class", "head.hidden=[8,4]", "freeze=backbone",
        "backbone.weights=classifier", name="localizer",
    )  # fmt: skip
    assert vggexp("graft", "classifier", "localizer", "output=both")[0] == 0
    code, _, errors = vggexp("evaluate", "both", "evaluation=overfeat", "trainer.limit_test_batches=4")
    assert code == 0, errors


def test_what_does_not_fit_overfeat_s_network_is_told(tiny: Callable[..., tuple[int, str, str]]) -> None:
    code, _, errors = tiny("backbone=overfeat_fast", "task=classification", "data.image_size=[64,64]")
    assert (code, errors.count("\n")) == (2, 1)
    assert "[64, 64]: this backbone leaves no cell of less; give [height, width] of 71 or more" in errors
    code, _, errors = tiny("backbone=overfeat_fast", "task=segmentation", "head=fcn", "data.image_size=[96,96]")
    assert (code, errors.count("\n")) == (2, 1)
    assert "head=fcn places what it finds on the image's pixels, and backbone=overfeat_fast convolves without" in errors


def test_a_head_that_needs_switches_is_refused_by_name(tiny: Callable[..., tuple[int, str, str]]) -> None:
    code, _, errors = tiny(
        "backbone=patch", "backbone.patch=13", "backbone.depth=[1,1]", "backbone.width=4", "head=segnet", *SEGMENTATION
    )
    assert (code, errors.count("\n")) == (2, 1)
    assert "head=segnet" in errors
    assert "switches" in errors


@pytest.mark.slow
def test_overfeat_s_presets_as_they_are(tree: PetsTree, vggexp: Vggexp) -> None:
    for part in ("classifier", "localizer"):
        code, _, errors = vggexp(f"experiment=overfeat_{part}", f"data.root={tree.root}", *ONE_STEP)
        assert code == 0, errors
    assert vggexp("graft", "runs/overfeat/classifier", "runs/overfeat/localizer", "output=both")[0] == 0
    few = ("trainer.limit_test_batches=1", "data.batch_size=1", "evaluation.sides=[245]")
    code, _, errors = vggexp("evaluate", "both", "evaluation=overfeat", *few)
    assert code == 0, errors
    assert 0 <= metrics("both/evaluation-test-overfeat-245.json")["test/box_error_top1"] <= 1


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Six noisy photos a split in CamVid's layout, each class a stripe."""
    photo = np.random.default_rng(0).integers(0, 255, (72, 96, 3), dtype=np.uint8)
    mask = np.repeat(np.arange(12, dtype=np.uint8), 6)[:, None].repeat(96, 1)
    for split in ("train", "val"):
        for folder, pixels in ((split, photo), (f"{split}annot", mask)):
            (tmp_path / "street" / folder).mkdir(parents=True)
            for k in range(6):
                Image.fromarray(np.roll(pixels, 7 * k, 0)).save(tmp_path / "street" / folder / f"{split}{k}.png")
    return tmp_path / "street"


@pytest.mark.slow
def test_camvid_s_presets(street: Path, vggexp: Vggexp) -> None:
    """Each as it is but for the width; of the ladder, each step begins from the last one's run."""
    narrow, few = ("backbone.width=0.05",), (f"data.root={street}", "data.batch_size=4", *ONE_STEP)
    hidden = ("head.hidden=8", *narrow)
    for preset, words in (
        ("camvid", (*narrow, "scheduler.warmup=0")), ("patch_camvid", ("backbone.width=4",)),
        ("fcn_ladder_32s", hidden), ("fcn_ladder_16s", hidden), ("fcn_ladder_8s", hidden),
    ):  # fmt: skip
        code, _, errors = vggexp(f"experiment={preset}", *words, *few)
        assert code == 0, (preset, errors)
