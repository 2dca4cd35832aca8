"""What a run leaves to look at: in the scores' numbers, each image once, small, and the same images every time."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from sklearn.metrics import jaccard_score

from vggexp.trainer.network import build_data

Train = Callable[..., Path]
WHOLE = ("trainer.limit_test_batches=1.0", "trainer.limit_val_batches=1.0", "callback=[diagnostics]")


def read(folder: Path, split: str = "test") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "prediction" / f"{split}.json").read_text())
    return found


@pytest.mark.slow
def test_multitask_and_segmentation(train_tiny: Train) -> None:
    run = train_tiny("task=multitask", "task.parts=[classification,localization,segmentation]", *WHOLE)
    found, scores = read(run), json.loads((run / "summary.json").read_text())["metrics"]
    assert found["count"] == len(found["index"]) == 300
    assert found["index"] == list(range(300))
    check_against_scores(found["diagnostics"], scores)
    fixed = [image["index"] for image in found["images"] if image["fixed"]]
    assert len(fixed) == 16
    ranked = sorted(found["score"])
    shown = sorted(image["score"] for image in found["images"])
    assert (shown[:8], shown[-8:]) == (ranked[:8], ranked[-8:])
    for image in found["images"]:
        check_image(run / "prediction" / "test", image, found)
    assert sum(path.stat().st_size for path in (run / "prediction").rglob("*")) < 300_000
    val = read(run, "val")
    assert (val["split"], val["epoch"], len(val["images"])) == ("val", 0, 16)


def check_against_scores(diagnostics: dict[str, Any], scores: dict[str, float]) -> None:
    labels, pixels = (np.array(diagnostics[kind]["confusion"]) for kind in ("classification", "segmentation"))
    boxes = diagnostics["localization"]["histogram"]
    assert labels.sum() == sum(boxes) == 300
    assert labels.trace() / 300 == pytest.approx(scores["test/top1"])
    assert sum(boxes[10:]) / 300 == pytest.approx(scores["test/box_accuracy"], abs=1 / 300)
    assert pixels.trace() / pixels.sum() == pytest.approx(scores["test/pixel_accuracy"])
    iou = diagnostics["segmentation"]["each"]["iou"]
    assert sum(iou) / 300 == pytest.approx(scores["test/miou_image"], abs=1e-4)


def check_image(folder: Path, image: dict[str, Any], found: dict[str, Any]) -> None:
    """Its files fit, and its record says what the columns say."""
    place, each = image["index"], found["diagnostics"]
    size = tuple(image["size"])
    with Image.open(folder / image["image"]) as picture:
        assert picture.size == size
    for kind in ("truth", "prediction"):
        with Image.open(folder / image[kind]["mask"]) as mask:
            assert (mask.mode, mask.size) == ("P", size)
    assert image["score"] == pytest.approx(found["score"][place], abs=1e-4)
    assert image["prediction"]["label"] == each["classification"]["each"]["predicted"][place]
    assert image["truth"]["box"] == each["localization"]["each"]["truth"][place]


@pytest.mark.slow
def test_evaluating_a_run_finds_the_same(train_tiny: Train, vggexp: Callable[..., tuple[int, str, str]]) -> None:
    run = train_tiny("trainer.limit_val_batches=1", "callback=[diagnostics]")
    before = read(run)
    (run / "prediction" / "test.json").unlink()
    assert vggexp("evaluate", str(run), "trainer.limit_test_batches=1.0")[0] == 0
    assert not (run / "prediction" / "test.json").exists()  # of another config than the run's: not its diagnostics
    assert vggexp("evaluate", str(run))[0] == 0
    assert read(run) == before


def test_fixed_images_are_the_same_in_every_run(train_tiny: Train) -> None:
    """Whatever the task, and with cached features, which hold no image."""
    runs = [train_tiny("task=localization", "head.hidden=[8]", "freeze=backbone", *WHOLE, name="a")]
    runs.append(train_tiny("task=segmentation", *WHOLE, name="b"))
    both = [{image["index"]: image["image"] for image in read(run)["images"] if image["fixed"]} for run in runs]
    assert both[0] == both[1]
    for name in both[0].values():
        files = [(run / "prediction" / "test" / name).read_bytes() for run in runs]
        assert files[0] == files[1]
    with Image.open(runs[1] / "prediction" / "test" / "0-truth.png") as mask:
        stored = np.array(mask)
    data = build_data(yaml.safe_load((runs[1] / "config.yaml").read_text())).split("test", frozenset({"mask"}))
    assert np.array_equal(stored, data[0]["mask"].numpy())


def test_what_is_kept_of_the_last_validation_is_what_it_scored(train_tiny: Train) -> None:
    """Of the fixed images alone, after the second of two validations: scikit-learn's mean IoU of the stored masks."""
    run = train_tiny("task=segmentation", "trainer.max_epochs=2", *WHOLE)
    val, folder = read(run, "val"), run / "prediction" / "val"
    assert (val["epoch"], len(val["images"])) == (1, 16)
    data = build_data(yaml.safe_load((run / "config.yaml").read_text())).split("val", frozenset({"mask"}))
    for image in val["images"]:
        truth, guess = (np.array(stored(folder / image[kind]["mask"])).ravel() for kind in ("truth", "prediction"))
        assert np.array_equal(truth, data[image["index"]]["mask"].flatten().numpy())
        seen = np.unique(np.concatenate([truth, guess]))
        expected = jaccard_score(truth, guess, labels=seen, average="macro")
        assert image["score"] == pytest.approx(expected, abs=1e-4)


def stored(path: Path) -> Image.Image:
    """An image that was written, its file closed again."""
    with Image.open(path) as image:
        image.load()
        return image
