"""Every test runs in a folder of its own and without the network's keys."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from vggexp.run_folder import RunFolder

torch.set_num_threads(1)  # tiny layers spend their time waking threads

TINY = (
    "backbone=vgg11_bn", "backbone.width=0.05", "data.image_size=[32,32]", "data.size=[16,30]", "trainer.precision=32",
    "trainer.max_epochs=1", "trainer.limit_train_batches=2", "trainer.limit_val_batches=1",
    "trainer.limit_test_batches=1",
)  # fmt: skip
"""Overrides under which a run on digits takes about a second."""


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the tests of a process keep between runs: listings of folders, decoded images, features."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VGGEXP_CACHE", str(cache_folder))  # not the user's own
    for name in ("WANDB_API_KEY", "VGGEXP_DATA"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _collect_no_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a second training in a process the program collects garbage, which takes a third of a tiny training."""
    if module := sys.modules.get("vggexp.trainer.training"):
        monkeypatch.setattr(module, "give_back_freed_memory", lambda: None)


@pytest.fixture
def vggexp(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """The command line, in this process: words to (exit code, standard output, standard error)."""
    from vggexp.__main__ import enter

    def run(*words: str) -> tuple[int, str, str]:
        code = enter(words)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def tiny_words() -> tuple[str, ...]:
    """The overrides of ``tiny``, for a process of its own."""
    return TINY


@pytest.fixture
def tiny(vggexp: Callable[..., tuple[int, str, str]]) -> Callable[..., tuple[int, str, str]]:
    """Train a tiny run on digits with some more overrides: (exit code, standard output, standard error)."""
    return lambda *words: vggexp(*TINY, *words)


@pytest.fixture
def train_tiny(tiny: Callable[..., tuple[int, str, str]]) -> Callable[..., Path]:
    """As ``tiny``, where it must succeed; the run folder."""

    def train(*words: str, name: str = "run") -> Path:
        code, _, errors = tiny(*words, f"run.dir={name}")
        assert code == 0, errors
        return Path(name)

    return train


Edges = tuple[int, int, int, int]


class PetsTree:
    """A tiny Oxford-IIIT Pet tree: three breeds with gaps in their class numbers, as in the real one.

    Ten trainval images a breed, each with a head box but ``<breed>_1``, and three test images without.
    """

    numbers = {"Abyssinian": 1, "american_bulldog": 2, "Bengal": 6}  # noqa: RUF012
    height, width = 24, 32
    body: Edges = (6, 4, 22, 20)  # left, top, right, bottom of pet and border
    head: Edges = (8, 5, 14, 12)

    def __init__(self, root: Path) -> None:
        self.root, self.folder = root, root / "oxford-iiit-pet"
        self.annotations = self.folder / "annotations"
        for folder in (self.folder / "images", self.annotations / "trimaps", self.annotations / "xmls"):
            folder.mkdir(parents=True)
        lists: dict[str, list[str]] = {"trainval": [], "test": []}
        for breed, number in self.numbers.items():
            for k in range(1, 14):
                lists["trainval" if k <= 10 else "test"].append(f"{breed}_{k} {number} 1 1")
                self._write(f"{breed}_{k}", headed=1 < k <= 10)
        for split, lines in lists.items():
            (self.annotations / f"{split}.txt").write_text("\n".join(lines) + "\n")

    def image(self, name: str) -> Path:
        return self.folder / "images" / f"{name}.jpg"

    def trimap(self, name: str) -> Path:
        return self.annotations / "trimaps" / f"{name}.png"

    def xml(self, name: str) -> Path:
        return self.annotations / "xmls" / f"{name}.xml"

    def write_heads(self, name: str, *heads: Edges) -> None:
        """VOC counts pixels from 1 and includes the last one."""
        boxes = (
            f"<xmin>{left + 1}</xmin><ymin>{top + 1}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax>"
            for left, top, right, bottom in heads
        )
        objects = "".join(f"<object><bndbox>{box}</bndbox></object>" for box in boxes)
        self.xml(name).write_text(f"<annotation>{objects}</annotation>")

    def write_trimap(self, name: str, labels: np.ndarray) -> None:
        Image.fromarray(labels.astype(np.uint8)).save(self.trimap(name))

    def _write(self, name: str, headed: bool) -> None:
        left, top, right, bottom = self.body
        pixels = np.full((self.height, self.width, 3), 200, np.uint8)
        pixels[top:bottom, left:right] = 40
        Image.fromarray(pixels).save(self.image(name), "JPEG", quality=95)
        labels = np.full((self.height, self.width), 2)
        labels[top:bottom, left:right] = 3
        labels[top + 1 : bottom - 1, left + 1 : right - 1] = 1
        self.write_trimap(name, labels)
        if headed:
            self.write_heads(name, self.head)


@pytest.fixture
def tree(tmp_path: Path) -> PetsTree:
    return PetsTree(tmp_path)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny run that classifies, localizes and segments digits; one for all tests."""
    from vggexp.__main__ import enter

    folder = tmp_path_factory.mktemp("trained") / "run"
    heads = ("classification.hidden=8", "classification.pool=1", "localization.hidden=[8]", "localization.pool=1")
    parts = "task.parts=[classification,localization,segmentation]"
    words = ("task=multitask", parts, *(f"head.part.{word}" for word in heads), f"run.dir={folder}", "callback=[]")
    assert enter([*TINY, *words]) == 0
    return folder


class TrainingStub:
    """What stands in for a training: it writes what a run leaves, or raises what it was told to for a seed."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, bool]] = []
        self.errors: dict[int, BaseException] = {}

    def __call__(self, config: Mapping[str, Any], go_on: bool = False) -> int:
        self.calls.append((config["seed"], go_on))
        folder = RunFolder(config["run"]["dir"])
        if not go_on:
            folder.begin(config, config["run"]["overwrite"])
        folder.metrics.write_text(json.dumps({"epoch": 0, "val/top1": 0.5}) + "\n")
        if error := self.errors.get(config["seed"]):
            raise error
        objective = {"metric": "val/top1", "mode": "max", "value": config["optimizer"]["lr"]}
        folder.finish({"seed": config["seed"], "objective": objective})
        return 0


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> TrainingStub:
    training = TrainingStub()
    monkeypatch.setattr("vggexp.trainer.training.train", training)
    return training
