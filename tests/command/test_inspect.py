"""What ``inspect`` tells of a folder."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Vggexp = Callable[..., tuple[int, str, str]]


@pytest.fixture
def photos(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VGGEXP_CACHE", "cache")
    random = np.random.default_rng(0)
    for split in ("train", "val"):
        for kind in ("cat", "dog"):
            Path("photos", split, kind).mkdir(parents=True)
            for n in range(5):
                pixels = random.integers(0, 255, (6, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
                Image.fromarray(pixels).save(Path("photos", split, kind, f"{n}.png"))
    return Path("photos")


def test_counts_as_text_page_and_json(photos: Path, vggexp: Vggexp) -> None:
    shutil.copy(photos / "train/cat/0.png", photos / "val/cat/copy.png")
    code, out, errors = vggexp("inspect", "photos", "data.image_size=[32,32]")
    assert code == 0, errors
    assert "is image_folder (photos in 2 class folders): 21 photos" in out
    assert "splits: train 10, val 11, test 0" in out
    assert "sizes: 64 x 48 (21); PNG 21" in out
    assert "warning: photo that is in two splits: train/cat/0.png (train) = val/cat/copy.png (val)" in out
    page = Path("inspect.html").read_text()
    assert page.count('alt="train/') >= 20
    assert "train/cat/0.png (train) = val/cat/copy.png (val)" in page
    assert vggexp("inspect", "photos", "output=counts.json")[0] == 0
    found = json.loads(Path("counts.json").read_text())
    assert found["classes"] == {"cat": {"train": 5, "val": 6, "test": 0}, "dog": {"train": 5, "val": 5, "test": 0}}
    assert found["alike"][0] == ["train/cat/0.png", "val/cat/copy.png", 0]


def test_a_second_call_reads_only_what_changed(photos: Path, vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch) -> None:
    from vggexp.report.photos import scan

    assert vggexp("inspect", "photos", "output=counts.json")[0] == 0
    read: list[Path] = []
    plain = scan.read_facts
    monkeypatch.setattr(scan, "read_facts", lambda path: read.append(path) or plain(path))
    (photos / "train/dog/1.png").write_bytes((photos / "train/dog/2.png").read_bytes())
    assert vggexp("inspect", "photos", "output=counts.json")[0] == 0
    assert [path.name for path in read] == ["1.png"]


def test_a_broken_photo_is_an_error_with_its_name(photos: Path, vggexp: Vggexp) -> None:
    (photos / "train/dog/1.png").write_bytes(b"no photo")
    code, out, _ = vggexp("inspect", "photos", "output=counts.json")
    assert code == 1
    assert "error: photo that cannot be read: train/dog/1.png" in out


def test_other_data_has_no_layout(vggexp: Vggexp) -> None:
    code, _, errors = vggexp("inspect", "data=digits")
    assert (code, errors) == (2, "vggexp: error: inspect reads layouts of photos, and data=digits is none\n")
