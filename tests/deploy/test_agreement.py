"""evaluate, predict, export and demo say the same of the same photos, whatever the evaluation recipe does to them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from tests.command.test_predict import rows, write
from tests.conftest import TINY
from vggexp.__main__ import enter
from vggexp.command.evaluate import score
from vggexp.command.predict import predict, ready
from vggexp.command.restore import Restored, restore
from vggexp.config.check import needs
from vggexp.config.recorded import amend
from vggexp.deploy.format import safetensors
from vggexp.deploy.predict.folder import PredictionFolder
from vggexp.deploy.predict.network import Network
from vggexp.sample.files import Files, Stored, scaled
from vggexp.sample.image import Shrink, read_image, read_shrunk
from vggexp.sample.image_files import find_images
from vggexp.sample.transform import Transform
from vggexp.task.drawing import LONGEST
from vggexp.types import DataInfo, Prediction

SIZES = [(70, 51), (33, 90), (64, 64), (47, 32), (150, 41)]
"""(width, height) of the photos."""
TOLERANCE = 2e-5
"""Rows are rounded to five digits."""
RECIPES: dict[str, tuple[list[Any], tuple[int, int]]] = {
    "wide": ([{"Resize": {"size": [32, 56]}}], (32, 56)),
    "odd": ([{"Resize": {"size": [57, 41]}}], (57, 41)),
    "bicubic": ([{"Resize": {"size": [37, 45], "interpolation": "bicubic"}}], (37, 45)),
    "nearest": ([{"Resize": {"size": [37, 45], "interpolation": "nearest"}}], (37, 45)),
    "aliased": ([{"Resize": {"size": [37, 45], "antialias": False}}], (37, 45)),
    "shorter side": ([{"Resize": {"size": 37}}, {"CenterCrop": {"size": [41, 37]}}], (41, 37)),
    "squash": ([{"Fit": {"size": [40, 33]}}], (40, 33)),
    "letterbox": ([{"Fit": {"size": [40, 57], "mode": "letterbox"}}], (40, 57)),
    "letterbox, bicubic": ([{"Fit": {"size": [64, 33], "mode": "letterbox", "interpolation": "bicubic"}}], (64, 33)),
    "crop": ([{"Fit": {"size": [33, 40], "mode": "crop"}}], (33, 40)),
    "padded": ([{"CenterCrop": {"size": [151, 151]}}, {"Resize": {"size": [40, 33]}}], (40, 33)),
}


class Photos:
    """The photos, as a data set would read them; their targets do not matter."""

    facts = None

    def __init__(self, paths: list[Path], has_masks: bool) -> None:
        self.paths, self.has_masks = paths, has_masks

    def __len__(self) -> int:
        return len(self.paths)

    def files(self, index: int) -> tuple[Path, ...]:
        return (self.paths[index],)

    def read(self, index: int, shrink: Shrink) -> Stored:
        photo = read_shrunk(self.paths[index], shrink)
        image, size = photo.image, photo.size
        box = scaled(torch.tensor([0, 0, size[1], size[0]]), size, image)
        stored: Stored = {"image": image, "size": size, "label": 0, "box": box}
        if self.has_masks:
            stored["mask"] = torch.zeros(size, dtype=torch.uint8)
        return stored


class Split:
    """A data set whose every split is the photos."""

    def __init__(self, info: DataInfo, files: Files) -> None:
        self.info, self._files = info, files

    def split(self, name: str, needs: frozenset[str], *, augment: bool = False) -> Files:
        return self._files


@pytest.fixture(scope="module")
def restored(trained: Path) -> Restored:
    found = restore(trained, {"trainer": {"gpus": 0}, "data": {"workers": 0}})
    with torch.no_grad():  # a run of two steps says nearly the same of every photo
        for parameter in found.learner.head.parameters():  # type: ignore[attr-defined]
            parameter.mul_(3)
    return found


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> Callable[[Restored, list[Path]], list[Prediction]]:
    """What ``evaluate`` scores, an image each."""

    def run(restored: Restored, paths: list[Path]) -> list[Prediction]:
        found: list[dict[str, Tensor]] = []
        task = restored.learner.task
        original = task.predict
        source = Photos(paths, "mask" in needs(restored.config))
        data = restored.config["data"]
        files = Files(source, Transform(data["eval_transform"]), data.get("decode_scale", False))
        split = Split(restored.info, files)
        with monkeypatch.context() as patch:
            patch.setattr(task, "predict", lambda outputs: found.append(original(outputs)) or found[-1])  # type: ignore[func-returns-value]
            score(restored, split, "val")
        (batch,) = found
        return [{name: value[place] for name, value in batch.items()} for place in range(len(paths))]

    return run


@pytest.mark.parametrize("name", RECIPES)
def test_four_commands_agree(name: str, restored: Restored, evaluated: Any, tmp_path: Path) -> None:
    recipe, size = RECIPES[name]
    changes = {"data": {"eval_transform": recipe, "image_size": list(size)}}
    restored = replace(restored, config=amend(restored.config, changes))
    for seed, (width, height) in enumerate(SIZES):
        write(f"photos/{seed}.{'jpg' if seed % 2 else 'png'}", width, height, seed)
    files = find_images(["photos"])
    paths = [file.path for file in files]
    expected = evaluated(restored, paths)

    with PredictionFolder(Path("out"), restored.info, None, {}) as folder:
        assert not predict(restored, files, folder, {"batch_size": None, "workers": 0, "overlays": False})
    predictor, view = ready(restored)
    photos = [read_image(file.path) for file in files]
    learner = restored.learner
    network = Network(learner.backbone, learner.head, learner.task)
    content = {"config": restored.config, "info": learner.info, "state_dict": learner.state_dict()}
    safetensors.write(network, content, torch.empty(0), Path("x.safetensors"))
    exported = safetensors.read(Path("x.safetensors"))(torch.stack([view(photo)[0] for photo in photos]))

    for place, (row, photo, prediction) in enumerate(zip(rows(), photos, expected, strict=True)):
        laid = view(photo)[1].lay_back(prediction, tuple(photo.shape[1:]))
        assert list(row["probability"].values()) == pytest.approx(prediction["probability"].tolist(), abs=TOLERANCE)
        assert row["box"] == pytest.approx(laid["box"].tolist(), abs=TOLERANCE)
        for key in ("probability", "box"):
            torch.testing.assert_close(exported[key][place], prediction[key], rtol=0, atol=TOLERANCE)
        assert (exported["mask"][place] != prediction["mask"]).double().mean() < 0.01
        shown = pytest.importorskip("vggexp.deploy.demo.app").shown(paths[place], predictor, view, restored.info)["row"]
        assert {key: row[key] for key in shown if key != "share"} == {
            key: pytest.approx(value, abs=TOLERANCE) for key, value in shown.items() if key != "share"
        }
    spread = torch.stack([prediction["probability"] for prediction in expected]).std(0).max()
    assert spread > 20 * TOLERANCE  # or to agree would mean nothing


@pytest.fixture(scope="module")
def without_masks(tmp_path_factory: pytest.TempPathFactory) -> Restored:
    """A run that classifies and localizes: evaluation may decode its JPEGs at a smaller scale."""
    folder = tmp_path_factory.mktemp("without_masks") / "run"
    parts = "task.parts=[classification,localization]"
    heads = ("classification.hidden=8", "classification.pool=1", "localization.hidden=[8]", "localization.pool=1")
    words = ("task=multitask", parts, *(f"head.part.{word}" for word in heads), f"run.dir={folder}", "callback=[]")
    assert enter([*TINY, *words]) == 0
    found = restore(folder, {"trainer": {"gpus": 0}, "data": {"workers": 0}})
    with torch.no_grad():
        for parameter in found.learner.head.parameters():  # type: ignore[attr-defined]
            parameter.mul_(3)
    return found


@pytest.mark.parametrize("overlays", [False, True])
@pytest.mark.parametrize("name", ["wide", "shorter side"])
def test_they_agree_on_photos_that_evaluation_decodes_smaller(
    name: str, overlays: bool, without_masks: Restored, evaluated: Any
) -> None:
    recipe, size = RECIPES[name]
    config = amend(without_masks.config, {"data": {"eval_transform": recipe, "image_size": list(size)}})
    config["data"]["decode_scale"] = True
    restored = replace(without_masks, config=config)
    noise = np.random.default_rng(0).integers(0, 256, (700, 900, 3), dtype=np.uint8)  # shrunk twice it is other noise
    Path("photos").mkdir()
    for place, (width, height) in enumerate([(801, 603), (450, 331), (1500, 611), (331, 450)]):
        exif = Image.Exif()
        exif[0x0112] = 6 if place == 3 else 1
        Image.fromarray(noise).resize((width, height)).save(f"photos/{place}.jpg", quality=95, exif=exif)
    files = find_images(["photos"])
    paths = [file.path for file in files]
    expected = evaluated(restored, paths)
    whole = evaluated(replace(restored, config={**config, "data": {**config["data"], "decode_scale": False}}), paths)
    with PredictionFolder(Path("out"), restored.info, restored.learner.task.draw if overlays else None, {}) as folder:
        assert not predict(restored, files, folder, {"batch_size": None, "workers": 0, "overlays": overlays})
    predictor, view = ready(restored)
    assert view.shrink(603, 801) > 1
    apart = []
    for path, row, prediction, other in zip(paths, rows(), expected, whole, strict=True):
        photo = read_shrunk(path, view.shrink)
        laid = view(photo.image, photo.size)[1].lay_back(prediction, photo.size)
        assert (row["height"], row["width"]) == photo.size
        assert list(row["probability"].values()) == pytest.approx(prediction["probability"].tolist(), abs=TOLERANCE)
        assert row["box"] == pytest.approx(laid["box"].tolist(), abs=TOLERANCE)
        shown = pytest.importorskip("vggexp.deploy.demo.app").shown(path, predictor, view, restored.info)["row"]
        assert shown == {key: pytest.approx(row[key], abs=TOLERANCE) for key in shown}
        if overlays:
            with Image.open(Path("out") / row["overlay"]) as picture:
                assert max(picture.size) >= min(LONGEST, max(photo.size))  # not the network's small decode
        apart.append((prediction["probability"] - other["probability"]).abs().max())
    assert max(apart) > 2 * TOLERANCE  # or to agree would mean nothing
