"""Photos of other shapes and sizes than the network's, as a user meets them: modes, sizes, tiles, views."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.command.test_predict import rows, stored, write

Vggexp = Callable[..., tuple[int, str, str]]
WORDS = (
    "data=pets", "data.root=.", "data.image_size=[32,48]", "data.batch_size=8", "data.workers=0", "backbone=vgg11_bn",
    "backbone.width=0.05", "trainer.gpus=0", "trainer.precision=32", "trainer.max_epochs=1",
    "trainer.limit_train_batches=1", "callback=[]",
)  # fmt: skip


@pytest.fixture
def train(tree: Any, vggexp: Vggexp) -> Callable[..., None]:
    """Train on the tiny pets in the current folder."""

    def run(*words: str) -> None:
        code, _, errors = vggexp(*WORDS, "run.dir=run", *words)
        assert code == 0, errors

    return run


def scores(file: str) -> dict[str, Any]:
    return dict(json.loads(Path(file).read_text())["metrics"])


@pytest.mark.parametrize("mode", ["squash", "letterbox", "crop"])
def test_a_run_of_each_mode_is_predicted_on_the_photos_own_pixels(
    mode: str, train: Callable[..., None], vggexp: Vggexp
) -> None:
    train("task=segmentation", f"data.resize={mode}")
    config = Path("run/config.yaml").read_text()
    assert f"mode: {mode}" in config
    write("photos/a.png", 90, 40)
    upright = stored(write("photos/b.png", 33, 80, seed=1))
    exif = Image.Exif()
    exif[0x0112] = 8
    upright.transpose(Image.Transpose.ROTATE_270).save("photos/turned.png", exif=exif)
    code, _, errors = vggexp("predict", "run", "photos", "output=out")
    assert code == 0, errors
    wide, tall, turned = rows()
    masks = {Path(row["file"]).stem: np.array(stored(Path("out", row["mask"]))) for row in (wide, tall, turned)}
    assert masks["a"].shape == (40, 90)
    assert masks["b"].shape == (80, 33)
    assert np.array_equal(masks["b"], masks["turned"])
    unseen = {name: (mask == 255).mean() for name, mask in masks.items()}
    # A letterbox shows the whole photo. A crop of 32 x 48 shows 60 columns of 40 x 90, and 22 rows of 80 x 33.
    expected = {"squash": (0, 0), "letterbox": (0, 0), "crop": (1 - 60 / 90, 1 - 22 / 80)}[mode]
    assert (unseen["a"], unseen["b"]) == pytest.approx(expected, abs=0.03)


@pytest.mark.slow
def test_a_run_is_evaluated_at_another_size_and_in_another_mode(train: Callable[..., None], vggexp: Vggexp) -> None:
    train("task=segmentation")
    for words in (
        ["data.image_size=[64,64]"],
        ["data.resize=letterbox"],
        ["data.image_size=[48,40]", "data.resize=crop"],
    ):
        code, _, errors = vggexp("evaluate", "run", *words, "output=other.json")
        assert code == 0, errors
        assert scores("other.json")["test/miou"] >= 0
    write("a.png", 70, 50)
    assert vggexp("predict", "run", "a.png", "data.image_size=[64,64]", "data.resize=letterbox")[0] == 0
    for words, message in (
        (
            ["data.image_size=[16,64]"],
            "data.image_size=[16, 64]: VGG halves the image five times; give [height, width]",
        ),
        (["data.image_size=64"], "data.image_size=64 is not a list of whole numbers"),
        (["data.resize=letterbx"], "data.resize=letterbx is not known; did you mean 'letterbox'?"),
        (
            ["data.resize=crop", "data.eval_transform=[{Resize:{size:[32,48]}}]"],
            "data.resize=crop has no effect: data.eval_transform has no step Fit with this mode",
        ),
    ):
        code, _, errors = vggexp("evaluate", "run", *words, "output=other.json")
        assert (code, errors.count("\n")) == (2, 1)
        assert message in errors


def test_a_window_that_a_size_does_not_hold_is_said(train: Callable[..., None], vggexp: Vggexp) -> None:
    train("task=segmentation", "head=deconvnet", "head.hidden=8", "head.window=2", "data.image_size=[64,64]")
    code, _, errors = vggexp("evaluate", "run", "data.image_size=[32,64]")
    assert (code, errors.count("\n")) == (2, 1)
    assert "head.window=2: images of 32 x 64 leave 1 cells a side" in errors
    code, _, errors = vggexp("evaluate", "run", "evaluation.scales=[0.5,1.0]")
    assert (code, errors.count("\n")) == (2, 1)
    assert "head.window=2 needs images of 64 or more, and a view has 32 x 32" in errors


def test_dense_heads_average_to_the_size_they_learnt(train: Callable[..., None], vggexp: Vggexp) -> None:
    train("head.hidden=8", "head.pool=1")
    assert vggexp("evaluate", "run", "data.image_size=[64,48]", "output=other.json")[0] == 0


def test_a_crop_that_loses_a_box_ends_with_advice(tree: Any, vggexp: Vggexp) -> None:
    for name in ("Bengal_2", "Bengal_3", "Bengal_4"):
        tree.write_heads(name, (0, 0, 3, 3))
    words = ("task=localization", "head.hidden=[8]", "head.pool=1", "data.image_size=[64,32]", "data.resize=crop")
    code, _, errors = vggexp(*WORDS, "run.dir=run", *words)
    assert (code, errors.count("\n")) == (2, 1)
    assert "the evaluation recipe cuts a box away; keep the whole photo: data.resize=letterbox, not crop" in errors


def test_tiles_of_photos_that_have_the_networks_size_score_as_the_photos(
    train: Callable[..., None], vggexp: Vggexp, tree: Any
) -> None:
    train("task=segmentation", "data.image_size=[32,32]")
    for path in tree.folder.rglob("*.jpg"):
        picture = Image.open(path).resize((32, 32))
        picture.save(path, "JPEG", quality=95)
        tree.write_trimap(path.stem, np.asarray(Image.open(tree.trimap(path.stem)).resize((32, 32), 0)))
    assert vggexp("evaluate", "run")[0] == 0
    code, out, errors = vggexp("evaluate", "run", "evaluation=sliding")
    assert code == 0, errors
    assert out.endswith("scores: run/evaluation-test-sliding.json\n")
    plain, tiles = scores("run/evaluation-test.json"), scores("run/evaluation-test-sliding.json")
    assert tiles == pytest.approx({key: value for key, value in plain.items() if key != "test/loss"})


@pytest.mark.slow
def test_evaluate_and_predict_agree_on_large_photos_in_tiles(
    train: Callable[..., None], vggexp: Vggexp, tree: Any
) -> None:
    train("task=segmentation", "data.image_size=[32,32]")
    right = total = 0
    for number, path in enumerate(sorted(tree.folder.glob("images/*.jpg"))):
        size = (70 + number, 90 - number)
        write(str(path), *size, seed=number)
        tree.write_trimap(path.stem, np.random.default_rng(number).integers(1, 3, size[::-1]))
    words = ("evaluation=sliding", "evaluation.overlap=0.25", "evaluation.flip=true")
    code, _, errors = vggexp("evaluate", "run", *words)
    assert code == 0, errors
    files = [str(tree.image(f"{breed}_{k}")) for breed in tree.numbers for k in (11, 12, 13)]
    code, _, errors = vggexp("predict", "run", *files, *words, "output=out", "batch_size=5")
    assert code == 0, errors
    for row in rows():
        mask = np.array(stored(Path("out", row["mask"])))
        truth = 2 - np.array(stored(tree.trimap(Path(row["file"]).stem)))  # 1 pet, 2 background
        assert mask.shape == (row["height"], row["width"])
        right, total = right + (mask == truth).sum(), total + truth.size
    found = scores("run/evaluation-test-sliding-flip.json")
    assert found["test/pixel_accuracy"] == pytest.approx(right / total, abs=1e-3)
    assert json.loads(Path("run/evaluation-test-sliding-flip.json").read_text())["overlap"] == 0.25
    code, _, errors = vggexp("predict", "run", *files, "output=out")  # never the rows of both in one file
    assert code == 2


@pytest.mark.slow
def test_views_are_averaged_for_each_task(train: Callable[..., None], vggexp: Vggexp) -> None:
    small = ("head.pool=1", "run.overwrite=true")
    for words, views in (
        (("task=segmentation", "run.overwrite=true"), ["evaluation.flip=true", "evaluation.scales=[1.0,1.5]"]),
        (("head=linear", "run.overwrite=true"), ["evaluation.flip=true", "evaluation.scales=[1.0,1.5]"]),
        (("task=localization", "head.hidden=[8]", *small), ["evaluation.flip=true"]),
    ):
        train(*words)
        code, _, errors = vggexp("evaluate", "run", *views)
        assert code == 0, errors
        found = scores(f"run/evaluation-test-flip{'-scales' if len(views) == 2 else ''}.json")
        assert "test/loss" not in found
        write("a.png", 70, 50)
        code, _, errors = vggexp("predict", "run", "a.png", *views, "output=out", "overwrite=true")
        assert code == 0, errors


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["evaluation=sliding"], "evaluation=sliding blends the pixel classes of tiles, and task=multitask has more"),
        (["evaluation.flip=true"], "evaluation.flip=true: task=multitask does not average several views"),
        (["evaluation.scales=[2.0]"], "evaluation.scales=[2.0]: task=multitask does not average several views"),
        (["evaluation.flip=maybe"], "evaluation.flip=maybe is not true or false"),
        (["evaluation.scales=2"], "evaluation.scales=2 is not a list of numbers"),
        (["evaluation.scales=[]"], "evaluation.scales=[] is not a list of factors"),
        (["evaluation.scales=[0]"], "evaluation.scales=0 is not a number above 0"),
        (["evaluation.scales=[1.0,1.0]"], "evaluation.scales=[1.0, 1.0] is not a list of factors, each once"),
        (["evaluation.tile=[64,64]"], "there is no key 'evaluation.tile'"),
        (["evaluation=slidin"], "evaluation has no option 'slidin'; did you mean 'sliding'?"),
        (["evaluation=sliding", "evaluation.tile=64"], "evaluation.tile=64 is not a list of whole numbers or null"),
        (["evaluation=sliding", "evaluation.tile=[16,64]"], "evaluation.tile=16 is not a whole number of at least 32"),
        (["evaluation=sliding", "evaluation.overlap=1"], "evaluation.overlap=1 is not a number from 0 to below 1"),
    ],
)
def test_a_word_that_cannot_take_effect_is_one_line(
    words: list[str], message: str, trained: Path, vggexp: Vggexp
) -> None:
    write("a.png", 70, 50)
    for verb in (("evaluate", str(trained)), ("predict", str(trained), "a.png")):
        code, _, errors = vggexp(*verb, *words, "output=out")
        assert (code, errors.count("\n")) == (2, 1), errors
        assert message in errors


@pytest.mark.parametrize(
    ("words", "views", "message"),
    [
        (
            ("head.hidden=8", "head.pool=1"),
            ["evaluation.scales=[1.0,1.5]"],
            "evaluation.scales=[1.0, 1.5]: head=mlp has dense layers, which learnt one size",
        ),
        (
            ("task=segmentation",),
            ["evaluation.scales=[0.5,1.0]"],
            "evaluation.scales: at 0.5 an image of 32 x 32 becomes 16 x 16; VGG halves it five times",
        ),
    ],
)
def test_scales_that_a_network_does_not_take(
    words: tuple[str, ...], views: list[str], message: str, train_tiny: Callable[..., Path], vggexp: Vggexp
) -> None:
    train_tiny(*words)
    code, _, errors = vggexp("evaluate", "run", *views)
    assert (code, errors.count("\n")) == (2, 1)
    assert message in errors


def test_export_and_training_take_no_word_of_evaluation(trained: Path, vggexp: Vggexp) -> None:
    for verb in (("export", str(trained)), ("demo", str(trained)), ()):
        code, _, errors = vggexp(*verb, "evaluation.flip=true")
        assert (code, errors.count("\n")) == (2, 1)


def test_the_export_says_which_resize_is_meant(train: Callable[..., None], vggexp: Vggexp) -> None:
    train("task=segmentation", "data.resize=letterbox")
    code, _, errors = vggexp("export", "run", "format=safetensors", "output=x.safetensors")
    assert code == 0, errors
    told = json.loads(Path("x.safetensors.json").read_text())["preprocessing"]
    assert told["resize"].startswith("letterbox: scaled by one factor until it just fits into the input")
    assert told["steps"] == [{"Fit": {"size": [32, 48], "mode": "letterbox"}}]
