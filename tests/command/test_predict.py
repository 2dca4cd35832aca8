"""``predict``: a run on photos of any size, as a user types it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from vggexp.drawing import palette

Vggexp = Callable[..., tuple[int, str, str]]


def write(path: str, width: int, height: int, seed: int = 0) -> Path:
    """A photo of noise on coarse cells: neighbours differ, and resizing keeps what it shows."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    cells = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(cells).resize((width, height), Image.Resampling.NEAREST).save(path, quality=95)
    return Path(path)


@pytest.fixture
def photos() -> Path:
    for seed, (name, width, height) in enumerate(
        [("a.png", 70, 50), ("b.jpg", 64, 64), ("c.png", 33, 90), ("sub/a.png", 40, 40), ("z.png", 1500, 40)]
    ):
        write(f"photos/{name}", width, height, seed)
    return Path("photos")


def stored(path: str | Path) -> Image.Image:
    """An image that was written, its file closed again."""
    with Image.open(path) as image:
        image.load()
        return image


def rows(folder: str = "out") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(folder, "predictions.jsonl").read_text().splitlines()]


@pytest.mark.usefixtures("photos")
def test_a_row_a_mask_and_a_picture_of_each_photo(trained: Path, vggexp: Vggexp) -> None:
    code, out, errors = vggexp("predict", str(trained), "photos", "output=out")
    assert (code, errors) == (0, "")
    assert out == "5 of 5 images: out/predictions.jsonl, out/coco.json, out/mask, out/overlay\n"
    assert [Path(row["file"]).name for row in rows()] == ["a.png", "b.jpg", "c.png", "a.png", "z.png"]
    for row in rows():
        assert list(row) == [
            "file", "width", "height", "class", "probability", "box", "box_pixels", "share", "mask", "overlay",
        ]  # fmt: skip
        assert sum(row["probability"].values()) == pytest.approx(1, abs=1e-3)
        assert row["class"] == max(row["probability"], key=row["probability"].__getitem__)
        mask = stored(f"out/{row['mask']}")
        assert (mask.mode, mask.size) == ("P", (row["width"], row["height"]))
        counts = np.bincount(np.array(mask).ravel(), minlength=11)
        assert counts / counts.sum() == pytest.approx(list(row["share"].values()), abs=1e-4)
        label = int(np.array(mask)[0, 0])
        assert mask.convert("RGB").getpixel((0, 0)) == tuple(palette(11)[label].tolist())
        assert max(stored(f"out/{row['overlay']}").size) <= 1280
    content = json.loads(Path("out/coco.json").read_text())
    assert [box["image_id"] for box in content["annotations"]] == [1, 2, 3, 4, 5]


def flat(row: dict[str, Any]) -> list[float]:
    return [*row["probability"].values(), *row["box"], *row["share"].values()]


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("workers", [0, 2])
def test_together_gives_what_one_by_one_gives(workers: int, trained: Path, vggexp: Vggexp) -> None:
    for size in (1, 3):
        words = (f"batch_size={size}", f"workers={workers}", f"output=out{size}", "overlays=false")
        assert vggexp("predict", str(trained), "photos/", *words)[0] == 0
        assert not Path(f"out{size}/overlay").exists()
    for one, several in zip(rows("out1"), rows("out3"), strict=True):
        assert one["file"] == several["file"]
        assert flat(one) == pytest.approx(flat(several), abs=2e-4)
        masks = [np.array(stored(f"out{size}/{one['mask']}")) for size in (1, 3)]
        assert (masks[0] != masks[1]).mean() < 1e-3


def test_photos_are_turned_upright(trained: Path, vggexp: Vggexp) -> None:
    """One photo stored upright, one stored on its side with EXIF's word on how to turn it."""
    upright = stored(write("photos/upright.png", 80, 48, seed=5))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn 90 degrees clockwise to see it upright
    upright.transpose(Image.Transpose.ROTATE_90).save("photos/turned.png", exif=exif)
    assert vggexp("predict", str(trained), "photos", "output=out")[0] == 0
    turned, straight = rows()
    assert (turned["width"], turned["height"]) == (80, 48)
    assert turned["box_pixels"] == straight["box_pixels"]
    assert stored("out/mask/turned.png").size == (80, 48)


@pytest.mark.usefixtures("photos")
def test_what_cannot_be_read_is_listed_at_the_end(trained: Path, vggexp: Vggexp) -> None:
    Path("photos/broken.jpg").write_bytes(b"no image")
    Path("photos/cut.jpg").write_bytes(Path("photos/b.jpg").read_bytes()[:300])
    code, out, _ = vggexp("predict", str(trained), "photos", "output=out", "batch_size=2")
    assert code == 1
    first, *rest = out.splitlines()
    assert first.startswith("5 of 7 images: ")
    assert rest == [
        f"not read: photos/{name} is truncated or not an image; fetch it again, or leave it out"
        for name in ("broken.jpg", "cut.jpg")
    ]
    assert len(rows()) == 5


@pytest.mark.usefixtures("photos")
def test_earlier_predictions_are_replaced_only_if_asked(trained: Path, vggexp: Vggexp) -> None:
    predict = ("predict", str(trained), "output=out")
    assert vggexp(*predict, "photos")[0] == 0
    Path("out/mask/mine.txt").touch()
    code, _, errors = vggexp(*predict, "photos/a.png")
    assert code == 2
    assert errors == ("vggexp: error: out holds predictions; name another output=FOLDER, or say overwrite=true\n")
    assert len(rows()) == 5
    assert vggexp(*predict, "photos/sub/a.png", "overwrite=true", "overlays=false")[0] == 0
    assert sorted(path.name for path in Path("out").rglob("*") if path.is_file()) == [
        "a.png", "coco.json", "mine.txt", "predictions.jsonl",
    ]  # fmt: skip


@pytest.mark.usefixtures("photos")
def test_a_kill_loses_nothing(trained: Path, vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a group is lost, the one before it is on the disk already: rows, masks and boxes."""
    from vggexp.prediction.predictor import Predictor

    whole = Predictor.__call__
    met = []

    def killed(self: Predictor, images: torch.Tensor) -> Any:
        if met:
            assert len(rows()) == 2  # flushed while the folder is still open
            raise KeyboardInterrupt
        met.append(images)
        return whole(self, images)

    monkeypatch.setattr(Predictor, "__call__", killed)
    assert vggexp("predict", str(trained), "photos", "output=out", "batch_size=2")[0] == 130
    assert len(rows()) == 2
    assert all((Path("out") / row["mask"]).exists() for row in rows())
    assert len(json.loads(Path("out/coco.json").read_text())["annotations"]) == 2


@pytest.mark.usefixtures("photos")
def test_predicting_a_folder_into_itself_does_not_read_its_own_pictures(trained: Path, vggexp: Vggexp) -> None:
    for _ in range(2):
        assert vggexp("predict", str(trained), "photos", "output=photos/out", "overwrite=true")[0] == 0
        assert len(rows("photos/out")) == 5


def test_a_cropping_recipe_is_laid_back_on_the_photo(trained: Path, vggexp: Vggexp) -> None:
    """Of a wide photo only the middle is seen: the answer is that of the middle alone, in the whole photo's pixels."""
    whole = stored(write("photos/whole.png", 64, 32))  # nothing is resized, or edges would blend
    whole.crop((16, 0, 48, 32)).save("photos/middle.png")
    crop = "data.eval_transform=[{Resize:{size:32}},{CenterCrop:{size:32}}]"
    assert vggexp("predict", str(trained), "photos/middle.png", "photos/whole.png", crop, "output=out")[0] == 0
    middle, wide = rows()
    assert wide["probability"] == pytest.approx(middle["probability"], abs=1e-4)
    left, top, right, bottom = middle["box_pixels"]
    assert right < 32  # else it would go on in the whole photo
    assert wide["box_pixels"] == pytest.approx([left + 16, top, right + 16, bottom], abs=0.11)
    labels = np.array(stored("out/mask/whole.png"))
    assert (labels[:, :16] == 255).all()
    assert (labels[:, 48:] == 255).all()
    assert (labels[:, 16:48] == np.array(stored("out/mask/middle.png"))).all()


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("nowhere",), 1, "there is no nowhere; give an image, a folder of images, or a pattern such as"),
        ((), 2, "input is missing; usage: python -m vggexp predict CHECKPOINT INPUT..."),
        (("photos", "batch_size=0"), 2, "batch_size=0 is not a whole number of at least 1"),
        (("photos", "trainer.gpus=1"), 2, "trainer.gpus=1, and this machine has 0; trainer.gpus=0 uses the CPU"),
        (("photos", "trainer.precision=8"), 2, "trainer.precision=8 is not known"),
        (("photos", "outptu=x"), 2, "the run's config has no key 'outptu'"),
        (("photos", "data.eval_transform=[{RandomHorizontalFlip:{p:1.0}}]"), 2, "turns or flips the image"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(
    words: tuple[str, ...], code: int, message: str, trained: Path, vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    found, out, errors = vggexp("predict", str(trained), *words)
    assert (found, out) == (code, "")
    assert errors.startswith("vggexp: error: ")
    assert message in errors
    assert errors.count("\n") == 1


@pytest.mark.usefixtures("photos")
def test_mixed_precision_is_the_runs_and_can_be_changed(trained: Path, vggexp: Vggexp) -> None:
    for precision in ("32", "bf16-mixed"):
        words = (f"trainer.precision={precision}", f"output={precision}", "overlays=false")  # the folder 32
        assert vggexp("predict", str(trained), "photos", *words)[0] == 0
    full, mixed = ([value for row in rows(name) for value in flat(row)] for name in ("32", "bf16-mixed"))
    assert full != mixed
    assert full == pytest.approx(mixed, abs=0.1)
