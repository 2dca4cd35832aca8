"""Images, tables and charts as W&B keeps them, read back from what a run wrote offline."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Train = Callable[..., Path]
PARTS = (
    "task=multitask", "task.parts=[classification,localization,segmentation]", "head.part.classification.hidden=8",
    "head.part.classification.pool=1", "head.part.localization.hidden=[8]", "head.part.localization.pool=1",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", "none")


@pytest.fixture
def run(train_tiny: Train, offline_run: Any) -> Any:
    """A run of all three kinds of target, over eight epochs, whose validation images show in the 1st, 6th and last."""
    folder = train_tiny(
        *PARTS, "logger=wandb", "callback=[diagnostics]", "trainer.max_epochs=8", "trainer.limit_train_batches=1"
    )
    return offline_run(folder)


def record(run: Any, key: str) -> list[dict[str, Any]]:
    """What was logged under a key, its parts put together again."""
    found = [{name.removeprefix(f"{key}."): value for name, value in row.items() if name.startswith(f"{key}.")}
             for row in run.rows]  # fmt: skip
    return [one for one in found if one]


def table(run: Any, key: str) -> dict[str, Any]:
    (found,) = record(run, key)
    content: dict[str, Any] = json.loads((run.folder / "files" / found["path"]).read_text())
    assert found["nrows"] == len(content["data"])
    return content


def test_media(run: Any) -> None:
    diagnostics = json.loads((run.folder.parents[1] / "prediction" / "test.json").read_text())
    check_images(run, diagnostics)
    check_tables(run, diagnostics)
    check_charts(run, diagnostics)


def check_images(run: Any, diagnostics: dict[str, Any]) -> None:
    shown = record(run, "image/val")
    assert [row["epoch"] for row in run.rows if "image/val._type" in row] == [0, 5, 7]
    assert [one["count"] for one in shown] == [2, 2, 2]  # those of the 16 that lie in the one batch of this run
    assert shown[0]["filenames"][0].split("_")[-1] == shown[2]["filenames"][0].split("_")[-1]  # one hash: one image
    (worst,) = record(run, "image/worst")
    (best,) = record(run, "image/best")
    ranked = np.argsort(diagnostics["score"])
    assert worst["captions"][0].startswith(f"{diagnostics['index'][ranked[0]]}, truth ")
    assert best["captions"][0].startswith(f"{diagnostics['index'][ranked[-1]]}, truth ")
    check_overlays(run, worst, next(i for i in diagnostics["images"] if i["index"] == diagnostics["index"][ranked[0]]))


def check_overlays(run: Any, shown: dict[str, Any], image: dict[str, Any]) -> None:
    """Box and mask, truth and prediction, are those of the diagnostics, and the classes have their names."""
    files = run.folder / "files"
    boxes = json.loads((files / shown["all_boxes"][0]["truth"]["path"]).read_text())["box_data"]
    x, y, h, w = image["truth"]["box"]
    expected = {"minX": x, "minY": y, "maxX": x + w, "maxY": y + h}
    assert boxes[0]["position"] == pytest.approx(expected, abs=1e-6)
    assert boxes[0]["class_id"] == image["truth"]["label"]
    for kind in ("truth", "prediction"):
        with Image.open(files / shown["all_masks"][0][kind]["path"]) as mask:
            stored = run.folder.parents[1] / "prediction" / "test" / image[kind]["mask"]
            assert np.array_equal(np.asarray(mask), np.asarray(Image.open(stored)))
    names = run.config["_wandb"]["mask/class_labels"]["image/worst_wandb_delimeter_truth"]["value"]
    assert (names["0"], names["255"]) == ("background", "void")
    assert len(names) == 12


def check_tables(run: Any, diagnostics: dict[str, Any]) -> None:
    found = table(run, "table/prediction")
    rows = [dict(zip(found["columns"], row, strict=True)) for row in found["data"]]
    assert [row["score"] for row in rows] == sorted(diagnostics["score"])
    assert sum(row["image"] is not None for row in rows) == len(diagnostics["images"])
    place = diagnostics["index"].index(rows[0]["index"])
    each = diagnostics["diagnostics"]["classification"]["each"]
    assert rows[0]["classification/label"] == str(each["label"][place])
    assert rows[0]["segmentation/dice"] == diagnostics["diagnostics"]["segmentation"]["each"]["dice"][place]
    ledger = table(run, "table/freeze")
    assert ledger["columns"][:5] == ["epoch", "part", "parameters", "trainable", "learning_rate"]
    assert [row[0] for row in ledger["data"]] == [epoch for epoch in range(8) for _ in range(6)]
    metrics = json.loads((run.folder.parents[1] / "summary.json").read_text())["metrics"]
    by_class = table(run, "table/by_class")
    for row in by_class["data"]:
        for kind, value in zip(by_class["columns"][1:], row[1:], strict=True):
            assert value == metrics.get(f"test/{kind}/{row[0]}")


def check_charts(run: Any, diagnostics: dict[str, Any]) -> None:
    cells = table(run, "chart/classification_confusion_table")["data"]
    counts = diagnostics["diagnostics"]["classification"]["confusion"]
    assert [cell[2] for cell in cells] == [count for row in counts for count in row]
    pixels = table(run, "chart/segmentation_confusion_table")["data"]
    assert len(pixels) == 121
    assert sum(cell[2] for cell in pixels) == sum(map(sum, diagnostics["diagnostics"]["segmentation"]["confusion"]))
    curve = table(run, "chart/classification_precision_recall_table")
    assert curve["columns"] == ["class", "recall", "precision"]
    (histogram,) = record(run, "chart/localization_iou")
    assert histogram["values"] == diagnostics["diagnostics"]["localization"]["histogram"]
    assert (histogram["bins"][0], histogram["bins"][-1], len(histogram["bins"])) == (0, 1, 21)
    for kind in ("iou", "dice", "f1"):
        assert table(run, f"chart/{kind}_by_class_table")["columns"] == ["class", kind]


def test_without_media(train_tiny: Train, offline_run: Any, tiny: Any) -> None:
    small = ("head.hidden=8", "head.pool=1", "logger=wandb", "callback=[diagnostics]")
    run = offline_run(train_tiny(*small, "logger.wandb.media=false"))
    assert not list(run.folder.rglob("*.png"))
    assert not [key for row in run.rows for key in row if key.startswith(("image", "chart", "table"))]
    code, _, errors = tiny(*small, "logger.wandb.media_every=0")
    assert code == 2
    assert "logger.wandb.media_every=0 is not a whole number of at least 1" in errors
