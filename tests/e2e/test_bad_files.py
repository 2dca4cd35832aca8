"""A bad file ends a run in one line that names it, also from a loader's process, and takes no earlier run along."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Vggexp = Callable[..., tuple[int, str, str]]
SMALL = (
    "data=pets", "data.root=.", "data.image_size=[32,32]", "data.batch_size=4", "backbone=vgg11_bn",
    "backbone.width=0.05", "trainer.max_epochs=1", "trainer.precision=32", "run.dir=run", "run.overwrite=true",
)  # fmt: skip


@pytest.mark.parametrize("workers", [0, 1])
def test_a_truncated_image(workers: int, tree: Any, vggexp: Vggexp) -> None:
    words = (*SMALL, "task=segmentation", f"data.workers={workers}")
    assert vggexp(*words)[0] == 0
    before = json.loads(Path("run/summary.json").read_text())
    for path in (tree.folder / "images").glob("Bengal_*.jpg"):
        path.write_bytes(path.read_bytes()[:300])
    code, _, errors = vggexp(*words)
    assert code == 1
    assert errors.count("\n") == 1
    assert "Bengal_" in errors
    assert json.loads(Path("run/summary.json").read_text()) == before


def test_a_mask_label_outside_the_classes(tree: Any, vggexp: Vggexp) -> None:
    for path in (tree.annotations / "trimaps").glob("Bengal_*.png"):
        Image.new("L", (32, 24), 7).save(path)
    code, _, errors = vggexp(*SMALL, "task=segmentation", "data.workers=0")
    assert code == 1
    assert "Bengal_" in errors
    assert errors.count("\n") == 1


def test_a_missing_mask(tree: Any, vggexp: Vggexp) -> None:
    tree.trimap("Bengal_1").unlink()
    code, _, errors = vggexp(*SMALL, "task=segmentation", "data.workers=0")
    assert code == 1
    assert "Bengal_1.png" in errors


def test_a_gif_named_jpg_is_harmless(tree: Any, vggexp: Vggexp) -> None:
    for path in (tree.folder / "images").glob("Bengal_*.jpg"):
        Image.open(path).convert("P").save(path, format="GIF")
    code, _, errors = vggexp(*SMALL, "head.hidden=8", "head.pool=1", "data.workers=0")
    assert code == 0, errors


def test_a_split_without_boxes(tree: Any, vggexp: Vggexp) -> None:
    for path in (tree.annotations / "xmls").iterdir():
        path.unlink()
    code, _, errors = vggexp(*SMALL, "task=localization", "head.hidden=[8]", "head.pool=1", "data.workers=0")
    assert code == 1
    assert errors.count("\n") == 1
    assert "box" in errors
