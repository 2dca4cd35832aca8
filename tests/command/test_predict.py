"""``predict``: a run on photos of any size, as a user types it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from vggexp.task.drawing import palette

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
        "a.png", "coco.json", "made_by.json", "mine.txt", "predictions.jsonl",
    ]  # fmt: skip


def part(folder: str = "out") -> list[dict[str, Any]]:
    """The rows of an unfinished command."""
    return [json.loads(line) for line in Path(folder, "predictions.part.jsonl").read_text().splitlines()]


@pytest.fixture
def ending_at_the_third(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ctrl-C when the network is given its third group; how many images each group had that it was given."""
    from vggexp.deploy.predict.predictor import Predictor

    whole = Predictor.__call__
    met: list[int] = []

    def stopped(self: Predictor, images: torch.Tensor) -> Any:
        met.append(len(images))
        if len(met) == 3:
            assert len(part()) == 2  # flushed while the folder is still open
            raise KeyboardInterrupt
        return whole(self, images)

    monkeypatch.setattr(Predictor, "__call__", stopped)
    return met


@pytest.mark.usefixtures("photos")
def test_the_same_command_goes_on(trained: Path, vggexp: Vggexp, ending_at_the_third: list[int]) -> None:
    """What was predicted before Ctrl-C is there, and is not predicted again: in the end all is as in one go."""
    predict = ("predict", str(trained), "photos", "batch_size=2")
    code, _, errors = vggexp(*predict, "output=out")
    assert code == 130
    assert "out/predictions.part.jsonl has what was done; the same command goes on" in errors
    assert not Path("out/predictions.jsonl").exists()
    assert len(part()) == 4
    assert all((Path("out") / row["mask"]).exists() for row in part())
    assert len(json.loads(Path("out/coco.json").read_text())["annotations"]) == 4
    code, out, _ = vggexp(*predict, "output=out")
    assert code == 0
    assert out.splitlines()[0] == "4 of 5 images were there already"
    assert out.splitlines()[1].startswith("5 of 5 images: out/predictions.jsonl")
    assert ending_at_the_third == [2, 2, 1, 1]
    assert not Path("out/predictions.part.jsonl").exists()
    assert vggexp(*predict, "output=straight")[0] == 0
    assert rows() == rows("straight")
    assert Path("out/coco.json").read_text() == Path("straight/coco.json").read_text()


@pytest.mark.usefixtures("photos", "ending_at_the_third")
def test_rows_of_other_networks_or_photos_never_mix(trained: Path, vggexp: Vggexp) -> None:
    predict = ("predict", str(trained), "output=out", "batch_size=2")
    assert vggexp(*predict, "photos")[0] == 130
    for words, other in (
        (("photos", "overlays=false"), "made with another overlays"),
        (("photos", "trainer.precision=bf16-mixed"), "made with another override"),
        (("photos/sub",), "of other photos, such as photos/a.png"),
    ):
        code, _, errors = vggexp(*predict, *words)
        assert code == 2
        assert other in errors
        assert errors.endswith("name another output=FOLDER, or say overwrite=true\n")
        assert len(part()) == 4
    assert vggexp(*predict, "photos/sub", "overwrite=true")[0] == 0
    assert len(rows()) == 1
    assert sorted(path.name for path in Path("out/mask").rglob("*.png")) == ["a.png"]


@pytest.mark.slow
def test_a_killed_process_has_written_whole_rows(trained: Path, vggexp: Vggexp) -> None:
    for seed in range(150):
        write(f"photos/{seed:03d}.png", 40, 30, seed)
    words = ("photos", "batch_size=1", "workers=0", "overlays=false")
    command = [sys.executable, "-m", "vggexp", "predict", str(trained), *words, "output=out"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=environment) as process:
        file = Path("out/predictions.part.jsonl")
        while process.poll() is None and not (file.exists() and file.read_bytes().count(b"\n") > 4):
            time.sleep(0.002)
        process.kill()
    before = len(part())
    assert 4 < before < 150
    with file.open("a") as rows_file:
        rows_file.write('{"file": "photos/1')  # as a kill leaves a row that was being written
    assert vggexp("predict", str(trained), *words, "output=out")[1].startswith(f"{before} of 150 images were there")
    assert [row["file"] for row in rows()] == [f"photos/{seed:03d}.png" for seed in range(150)]
    assert len(json.loads(Path("out/coco.json").read_text())["annotations"]) == 150


def test_a_name_that_is_no_text_is_a_name(trained: Path, vggexp: Vggexp) -> None:
    """Bytes that are no UTF-8, as old archives have them."""
    write("photos/a.png", 40, 30).rename(os.fsdecode(b"photos/caf\xe9.png"))
    assert vggexp("predict", str(trained), "photos", "output=out")[0] == 0
    (row,) = rows()
    assert os.fsencode(row["file"]) == b"photos/caf\xe9.png"
    assert (Path("out") / row["mask"]).exists()


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
        (("photos", "outptu=x"), 2, "predict: there is no key 'outptu'; did you mean 'output'?"),
        (("photos", "data.eval_transform=[{RandomHorizontalFlip:{p:1.0}}]"), 2, "rotates or flips the image"),
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
        words = (f"trainer.precision={precision}", f"output='{precision}'", "overlays=false")  # the folder 32
        assert vggexp("predict", str(trained), "photos", *words)[0] == 0
    full, mixed = ([value for row in rows(name) for value in flat(row)] for name in ("32", "bf16-mixed"))
    assert full != mixed
    assert full == pytest.approx(mixed, abs=0.1)


@pytest.mark.usefixtures("photos")
def test_a_photo_that_could_not_be_read_is_added_once_it_can(trained: Path, vggexp: Vggexp) -> None:
    words = ("predict", str(trained), "photos", "output=out", "overlays=false")
    whole = Path("photos/b.jpg").read_bytes()
    Path("photos/b.jpg").write_bytes(whole[:200])
    code, out, _ = vggexp(*words)
    assert code == 1
    assert "4 of 5 images" in out
    assert "not read: photos/b.jpg" in out
    Path("photos/b.jpg").write_bytes(whole)
    code, out, errors = vggexp(*words)
    assert (code, errors) == (0, "")
    assert "4 of 5 images were there already" in out
    assert [row["file"] for row in rows()][-1] == "photos/b.jpg"
    code, _, errors = vggexp(*words)
    assert code == 2
    assert "out holds predictions" in errors


def test_files_whose_names_look_like_settings_are_files(trained: Path, vggexp: Vggexp) -> None:
    names = ["a=b.jpg", "+plus.jpg", "~tilde.jpg", "back\\slash.jpg", "-dash.jpg", "it's.jpg", "${x}.jpg", "a,[b].jpg"]
    for seed, name in enumerate(names):
        write(name, 40, 40, seed)
    code, _, errors = vggexp("predict", str(trained), *names, "output=out", "overlays=false")
    assert (code, errors) == (0, "")
    assert [row["file"] for row in rows()] == names


def test_every_photo_is_read_or_named(trained: Path, vggexp: Vggexp) -> None:
    for name in ("a.jfif", "b.jpe", "c.ppm", "d.jp2", ".hidden/e.png", "__MACOSX/f.png"):
        picture = write("plain.png", 40, 40)
        Path("photos", name).parent.mkdir(parents=True, exist_ok=True)
        stored(picture).save(Path("photos", name), {".ppm": "PPM", ".jp2": "JPEG2000"}.get(Path(name).suffix, "JPEG"))
    Path("photos/g.heic").write_bytes(b"x")
    Path("photos/Thumbs.db").write_bytes(b"x")
    Path("photos/broken.png").symlink_to("nowhere.png")
    write("elsewhere/h.png", 40, 40)
    Path("photos/link").symlink_to(Path("elsewhere").absolute())
    Path("photos/loop").symlink_to(Path("photos").absolute())
    code, out, errors = vggexp("predict", str(trained), "photos", "output=out", "overlays=false")
    assert (code, errors) == (0, "")
    assert sorted(Path(row["file"]).name for row in rows()) == ["a.jfif", "b.jpe", "c.ppm", "d.jp2", "h.png"]
    assert "left out: photos/broken.png (a broken link)\n" in out
    assert "left out: photos/g.heic (no decoder for .heic; convert it to JPEG or PNG)\n" in out
