"""Runs on one frozen backbone become one network: the same outputs, and a run like any other."""

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from tests.conftest import TINY
from vggexp.__main__ import enter
from vggexp.command.restore import restore
from vggexp.deploy.graft import check_mergeable
from vggexp.errors import ConfigError
from vggexp.transfer.checkpoint import read_checkpoint, write_checkpoint

Train = Callable[..., Path]
BOX = ("task=localization", "head.hidden=[8]", "head.pool=1")


@pytest.fixture(scope="module")
def trained_singles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs of ``singles``, trained once."""
    folder = tmp_path_factory.mktemp("singles")
    with contextlib.chdir(folder):
        frozen = ("freeze=backbone", "backbone.weights=one")
        own = {"one": ("head.hidden=8", "head.pool=1"), "two": (*BOX, *frozen), "three": ("task=segmentation", *frozen)}
        for name, words in own.items():
            assert enter([*TINY, *words, f"run.dir={name}"]) == 0
    return folder


@pytest.fixture
def singles(trained_singles: Path, tmp_path: Path) -> tuple[Path, Path, Path]:
    """A classifier, and a box head and a decoder trained on its frozen convolutions, in a copy of the test's own."""
    for name in ("one", "two", "three"):
        shutil.copytree(trained_singles / name, tmp_path / name)
    return Path("one"), Path("two"), Path("three")


def test_three_runs_in_one_network(singles: tuple[Path, Path, Path], vggexp: Any) -> None:
    code, out, errors = vggexp("graft", "one", "two", "three", "output=all")
    assert code == 0, errors
    assert "outputs on 16 random images: equal, bit for bit" in out
    images = torch.randint(0, 256, (5, 3, 32, 32), dtype=torch.uint8)
    joined = restore(Path("all"), {}).learner
    with torch.inference_mode():
        outputs = joined(images)
        for name, folder in zip(("classification", "localization", "segmentation"), singles, strict=True):
            assert torch.equal(outputs[name], restore(folder, {}).learner(images))
    merged = json.loads(Path("all/summary.json").read_text())
    for folder, metric in zip(singles, ("top1", "box_iou", "miou"), strict=True):
        alone = json.loads((folder / "summary.json").read_text())
        assert merged["metrics"][f"test/{metric}"] == alone["metrics"][f"test/{metric}"]
        assert merged["baseline"][f"test/{metric}"] == alone["baseline"][f"test/{metric}"]
    assert merged["trainable_parameters"] == 0


@pytest.mark.slow
def test_it_is_a_run_like_any_other(singles: tuple[Path, Path, Path], vggexp: Any, tiny: Any) -> None:
    assert vggexp("graft", "one", "two", "output=both")[0] == 0
    assert vggexp("evaluate", "both", "split=val", "trainer.limit_val_batches=1")[0] == 0
    assert vggexp("summary", "both")[0] == 0
    code, out, _ = vggexp("report", ".")
    assert code == 0
    assert "both" in out
    assert yaml.safe_load(Path("both/config.yaml").read_text())["task"]["parts"] == ["classification", "localization"]
    code, _, errors = vggexp("rerun", "both", "run.dir=again", "optimizer.lr=0", "optimizer.weight_decay=0")
    assert code == 0, errors
    before, after = (read_checkpoint(Path(name))["state_dict"] for name in ("both", "again"))
    network = [name for name in before if name.startswith(("backbone.", "head."))]
    assert all(torch.equal(before[name], after[name]) for name in network)
    words = ("task=multitask", "backbone.weights=both", "head.weights=both", "head.part.classification.hidden=8",
             "head.part.classification.pool=1", "head.part.localization.hidden=[8]",
             "head.part.localization.pool=1", "run.dir=tuned")  # fmt: skip
    code, out, errors = tiny(*words)
    assert code == 0, errors
    assert "head weights: 10 tensors from both" in out


def test_a_grafted_run_can_be_grafted(singles: tuple[Path, Path, Path], vggexp: Any) -> None:
    assert vggexp("graft", "one", "two", "output=both")[0] == 0
    code, _, errors = vggexp("graft", "both", "three", "output=all")
    assert code == 0, errors
    parts = read_checkpoint(Path("all"))["config"]["task"]["parts"]
    assert parts == ["classification", "localization", "segmentation"]


def test_backbones_that_differ(singles: tuple[Path, Path, Path], train_tiny: Train, vggexp: Any) -> None:
    train_tiny(*BOX, "freeze=stage", "freeze.stages=3", "backbone.weights=one", name="tuned")
    code, _, errors = vggexp("graft", "one", "tuned", "output=both")
    assert code == 2
    assert "the backbones of one and tuned differ from stage4 on, by up to " in errors
    assert "backbone.features." in errors
    assert not Path("both").exists()


@pytest.mark.slow
def test_what_cannot_be_merged(singles: tuple[Path, Path, Path], train_tiny: Train, vggexp: Any) -> None:
    code, _, errors = vggexp("graft", "one", "one", "output=both")
    assert (code, "both one and one are runs of classification" in errors) == (2, True)
    code, _, errors = vggexp("graft", "one", "output=both")
    assert (code, "give two or more runs" in errors) == (2, True)
    code, _, errors = vggexp("graft", "one", "nowhere", "output=both")
    assert (code, "nowhere" in errors) == (2, True)
    code, _, errors = vggexp("graft", "one", "two", "output=three")
    assert (code, "three holds a run" in errors) == (2, True)
    train_tiny(*BOX, "data.image_size=[64,64]", "data.size=[16,30]", name="large")
    code, _, errors = vggexp("graft", "one", "large", "output=both")
    assert (code, "data.image_size is [32, 32] in one and [64, 64] in large" in errors) == (2, True)


def test_runs_on_other_data_cannot_be_merged(singles: tuple[Path, Path, Path], train_tiny: Train, vggexp: Any) -> None:
    """One network has one data set: of other classes, the names and the scores would be the first run's."""
    frozen = ("freeze=backbone", "backbone.weights=one", "task=segmentation")
    train_tiny(*frozen, "data.classes=[7,8,9]", name="other")
    code, _, errors = vggexp("graft", "one", "other", "output=both")
    assert (code, errors) == (
        2,
        "vggexp: error: graft: data.classes is None in one and [7, 8, 9] in other; "
        "only runs with the same data set and the same kind of backbone can be merged\n",
    )
    assert not Path("both").exists()
    content = read_checkpoint(Path("three"))
    content["info"]["mask_classes"][1:3] = ["1", "0"]  # a folder's classes, read in another order
    write_checkpoint(Path("renamed.ckpt"), content)
    code, _, errors = vggexp("graft", "one", "renamed.ckpt", "output=both")
    assert (code, errors.count("\n")) == (2, 1)
    assert "the pixel classes of one are [background, 0, 1, 2," in errors
    assert "those of renamed.ckpt [background, 1, 0, 2," in errors


@pytest.mark.slow
def test_the_same_data_in_two_folders(tree: Any, vggexp: Any, tmp_path: Path) -> None:
    """Where a data set lies does not tell what it is: a copy is the same, another set of the same classes is not."""
    small = ("data=pets", "data.image_size=[32,32]", "data.batch_size=8", "data.workers=0", "backbone=vgg11_bn",
             "backbone.width=0.05", "trainer.max_epochs=1", "trainer.precision=32", "callback=[]")  # fmt: skip
    assert vggexp(*small, "data.root=.", "head.hidden=8", "head.pool=1", "run.dir=one")[0] == 0
    shutil.copytree(tree.folder, "copy/oxford-iiit-pet")
    frozen = ("task=segmentation", "freeze=backbone", "backbone.weights=one", "run.dir=two", "data.root=copy")
    assert vggexp(*small, *frozen)[0] == 0
    code, _, errors = vggexp("graft", "one", "two", "output=both")
    assert code == 0, errors
    photo = sorted(Path("copy/oxford-iiit-pet/images").iterdir())[0]
    photo.write_bytes(photo.read_bytes() + b"0")
    code, _, errors = vggexp("graft", "one", "two", "output=again")
    assert (code, errors.count("\n")) == (2, 1)
    assert f"graft: data.root is {tmp_path} in one and {tmp_path}/copy in two, and their " in errors
    assert "samples with other files; only runs on the same data can be merged" in errors
    shutil.rmtree("copy")
    code, _, errors = vggexp("graft", "one", "two", "output=again")
    assert (code, errors.count("\n")) == (2, 1)
    assert f"data.root is {tmp_path} in one and {tmp_path}/copy in two, which cannot be compared: " in errors
    assert not Path("again").exists()


def test_each_run_has_its_own_file_of_splits(tmp_path: Path) -> None:
    configs = []
    for task, text in (
        ("classification", "a.jpg,train\n"),
        ("localization", "a.jpg,train\n"),
        ("other", "a.jpg,val\n"),
    ):
        (tmp_path / f"{task}.csv").write_text(f"photo,split\n{text}")
        data = {"split": str(tmp_path / f"{task}.csv")}
        configs.append({"choice": {"task": task, "data": "voc"}, "task": {}, "data": data, "backbone": {}})
    check_mergeable(["one", "two"], configs[:2])
    with pytest.raises(ConfigError, match=r"data\.split is splits\.csv \w{8} in one and splits\.csv \w{8} in other"):
        check_mergeable(["one", "other"], [configs[0], configs[2]])
