"""The layout is recognised, and a run keeps its division of the photos."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Vggexp = Callable[..., tuple[int, str, str]]
SMALL = (
    "data=auto", "data.root=photos", "data.image_size=[32,32]", "backbone=vgg11_bn", "backbone.width=0.05",
    "head.hidden=8", "head.pool=1", "trainer.max_epochs=1", "trainer.precision=32", "data.workers=0",
    "data.batch_size=4",
)  # fmt: skip


def write_photos(names: list[str], seed: int = 0) -> None:
    random = np.random.default_rng(seed)
    for name in names:
        path = Path("photos", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 255, (40, 50, 3), np.uint8)).save(path)


def test_a_run_keeps_its_division_when_photos_are_added(vggexp: Vggexp) -> None:
    write_photos([f"{kind}/{n}.png" for kind in ("cat", "dog") for n in range(12)])
    code, out, errors = vggexp(*SMALL, "run.dir=run")
    assert code == 0, errors
    assert "classification on auto" in out
    rows = Path("run/splits.csv").read_text().splitlines()
    assert rows[0] == "photo,split"
    assert len(rows) == 25
    code, _, errors = vggexp("evaluate", "run")
    assert code == 0, errors
    before = json.loads(Path("run/evaluation-test.json").read_text())["metrics"]
    write_photos([f"{kind}/new{n}.png" for kind in ("cat", "dog") for n in range(40)], seed=1)
    code, _, errors = vggexp("evaluate", "run")
    assert code == 0, errors
    assert json.loads(Path("run/evaluation-test.json").read_text())["metrics"] == before


def test_a_layout_without_test_photos_is_trained_and_not_tested(vggexp: Vggexp) -> None:
    write_photos(
        [f"{split}/{kind}/{n}.png" for split in ("train", "valid") for kind in ("cat", "dog") for n in range(6)]
    )
    code, _, errors = vggexp(*SMALL, "run.dir=run")
    assert code == 0, errors
    assert "no test split, so the best checkpoint is not tested; data.split.test=0.15 draws one" in errors
    assert "test/top1" not in json.loads(Path("run/summary.json").read_text())["metrics"]
    code, _, errors = vggexp("evaluate", "run")
    assert code == 1
    assert "there is no test split" in errors


def test_a_relative_root_is_found_from_another_folder(vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch) -> None:
    write_photos([f"{kind}/{n}.png" for kind in ("cat", "dog") for n in range(8)])
    assert vggexp(*SMALL, "run.dir=run")[0] == 0
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    code, _, errors = vggexp("evaluate", "../run")
    assert code == 0, errors


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("data.root=photos",), 2, "goes with data=auto: data=auto data.root=..."),
        (("data=auto",), 2, "data.root is missing; give data.root=..."),
        (("data=auto", "data.root=gone"), 1, "gone does not exist; give the folder that holds the photos"),
        (("data=auto", "data.root=empty"), 1, "has no layout that data=auto knows: it is empty; see docs/data.md"),
        (("data=image_folder", "data.root=photos", "task=segmentation"), 2, "data=image_folder has only label"),
        (("data=auto", "data.root=photos", "task=segmentation"), 1, "this data set names no pixel classes"),
        (("data=auto", "data.root=photos", "data.classes=[cat,cow]"), 2, "the data has no class 'cow'"),
        (
            ("data=auto", "data.root=photos", "data.split.val=2"),
            2,
            "data.split.val=2 is not a number from 0 to below 1",
        ),
    ],
)
def test_what_cannot_be_is_one_line(words: tuple[str, ...], code: int, said: str, vggexp: Vggexp) -> None:
    write_photos([f"{kind}/{n}.png" for kind in ("cat", "dog") for n in range(8)])
    Path("empty").mkdir()
    found, _, errors = vggexp(*words, "run.dir=run")
    assert (found, errors.count("\n")) == (code, 1)
    assert said in errors
    assert not Path("run").exists()


def test_photos_that_cannot_be_read_are_left_out_on_request(vggexp: Vggexp) -> None:
    write_photos([f"{split}/{kind}/{n}.png" for split in ("train", "val") for kind in ("cat", "dog") for n in range(8)])
    broken = Path("photos/train/dog/3.png")
    broken.write_bytes(broken.read_bytes()[:300])
    code, _, errors = vggexp(*SMALL, "run.dir=stopped")
    assert code == 1
    assert "photos/train/dog/3.png" in errors
    code, _, errors = vggexp(*SMALL, "data.on_error=skip", "run.dir=run")
    assert code == 0, errors
    assert "photos that cannot be read and are left out: 1, see run/skipped.csv" in errors
    assert Path("run/skipped.csv").read_text().splitlines()[1].startswith("train/dog/3.png,")
    Path("photos/val/cat/1.png").write_bytes(b"")
    Path("photos/val/cat/2.png").write_bytes(b"")
    code, _, errors = vggexp(*SMALL, "data.on_error=skip", "run.dir=more")
    assert code == 1
    assert "2 of 16 photos in split 'val' cannot be read, and data.on_error=skip leaves out at most 1%" in errors
