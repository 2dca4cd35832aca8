"""``explain``: pictures for each head of a run."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Vggexp = Callable[..., tuple[int, str, str]]


@pytest.fixture
def photo() -> str:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("photo.png")
    return "photo.png"


def test_a_missing_extra_is_named(trained: Path, photo: str, vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    code, _, errors = vggexp("explain", str(trained), photo)
    assert code == 2
    assert "pip install 'vggexp[explain]'" in errors


@pytest.mark.slow
def test_each_head_is_explained(trained: Path, photo: str, vggexp: Vggexp) -> None:
    pytest.importorskip("captum")
    code, _, errors = vggexp("explain", str(trained), photo, "output=why", "channels=3")
    assert code == 0, errors
    names = {path.name for path in Path("why/photo").iterdir()}
    assert {"receptive_field.jpg", "features-stage1.png", "features-stage2.png"} <= names
    assert {f"grad_cam-localization-box-{side}.jpg" for side in "xyhw"} <= names
    assert sum(name.startswith("grad_cam-classification-") for name in names) == 1
    assert any(name.startswith("grad_cam-segmentation-mask-") for name in names)
    assert {path.name for path in Path("why").iterdir() if path.is_file()} == {
        "filters-stage1.png", "filters-stage2.png",
    }  # fmt: skip
    with Image.open("why/photo/grad_cam-localization-box-x.jpg") as picture:
        assert picture.size[0] / picture.size[1] == pytest.approx(60 / 40, abs=0.01)
    code, _, errors = vggexp("explain", str(trained), photo, "output=why", "stage=6")
    assert (code, "stage=6: the backbone has 5 stages" in errors) == (2, True)
