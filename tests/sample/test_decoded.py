"""Kept images: to the bit what a data set reads, and never stale."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from vggexp.data.pets import Pets
from vggexp.errors import ConfigError
from vggexp.sample.decoded import keep_decoded
from vggexp.sample.files import Files

RESIZE = {"Resize": {"size": [12, 16]}}
LETTERBOX = {"Fit": {"size": [12, 16], "mode": "letterbox"}}
CROP = {"Fit": {"size": [9, 8], "mode": "crop"}}
RECIPES: dict[str, list[Any]] = {
    "crop": [{"RandomResizedCrop": {"size": [10, 12], "scale": [0.5, 1.0]}}, "RandomHorizontalFlip"],
    "small crop": [{"RandomResizedCrop": {"size": [4, 4], "scale": [0.5, 1.0]}}],  # decoded smaller
    "resize, crop": [RESIZE, {"RandomCrop": {"size": [10, 12]}}],
    "resize": [RESIZE],
    "nothing": [],
    "letterbox": [LETTERBOX],
    "letterbox, crop": [LETTERBOX, {"RandomCrop": {"size": [10, 12]}}],
    "small letterbox": [{"Fit": {"size": [5, 9], "mode": "letterbox"}}],  # decoded smaller
    "part": [{"Fit": {"size": [5, 4], "mode": "letterbox", "scale": [0.5, 1.0]}}],
    "centre": [CROP],
    "centre, crop": [CROP, {"RandomCrop": {"size": [7, 7]}}],
}
TARGETS = [{"label"}, {"label", "box"}, {"mask"}, {"box", "mask"}]


def split(tree: Any, recipe: list[Any], needs: set[str] = TARGETS[1], augment: bool = True, **arguments: Any) -> Files:
    evaluation = (
        recipe[:1]
        if recipe[:1] in ([RESIZE], [LETTERBOX], [CROP])
        else [{"Resize": {"size": [4, 4]}}]
        if recipe
        else []
    )
    data = Pets(str(tree.root), train_transform=recipe, eval_transform=evaluation, **arguments)
    return data.split("train", frozenset(needs), augment=augment)


def resize_one(tree: Any, name: str, size: tuple[int, int]) -> None:
    """Images of a data set have many sizes."""
    picture = Image.open(tree.image(name)).resize(size)
    picture.save(tree.image(name), "JPEG", quality=95)
    tree.write_trimap(name, np.asarray(Image.open(tree.trimap(name)).resize(size, Image.Resampling.NEAREST)))


@pytest.mark.parametrize("needs", TARGETS, ids=lambda needs: "+".join(sorted(needs)))  # a set has no order of its own
@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("mode", ["memory", "disk"])
def test_cached_samples_are_the_uncached_ones_to_the_bit(
    tree: Any, tmp_path: Path, recipe: str, needs: set[str], mode: str
) -> None:
    for name in ("Bengal_2", "Abyssinian_3"):
        resize_one(tree, name, (41, 29))
    plain = split(tree, RECIPES[recipe], needs)
    for _ in range(2):  # on disk the second time reads
        kept = keep_decoded(plain, "train", mode, str(tmp_path / "cache"), 1)
        assert len(kept) == len(plain)
        for path in range(len(plain)):
            torch.manual_seed(path)
            one = plain[path]
            torch.manual_seed(path)
            other = kept[path]
            assert one.keys() == other.keys()
            assert all(torch.equal(one[key], other[key]) for key in one)  # type: ignore[literal-required]
            assert all(one[key].dtype == other[key].dtype for key in one)  # type: ignore[literal-required]


def test_files_are_read_once_and_worker_processes_read_what_is_kept(tree: Any) -> None:
    kept = keep_decoded(split(tree, RECIPES["resize"]), "train", "memory", "", 1)
    expected = [sample["image"] for sample in kept]  # type: ignore[attr-defined]
    for path in tree.folder.rglob("*.jpg"):
        path.unlink()
    found = [image for batch in DataLoader(kept, 4, num_workers=2) for image in batch["image"]]
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def test_on_disk_whatever_changes_a_sample_has_another_name(
    tree: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "cache"

    def keep(recipe: str = "resize", **arguments: Any) -> str:
        keep_decoded(split(tree, RECIPES[recipe], **arguments), "train", "disk", str(folder), 1)
        return capsys.readouterr().out

    assert keep().startswith("data.cache: train: 23 decoded images, 0 MiB in ")
    assert keep().startswith("data.cache: train is read from ")
    count = 1
    for arguments in ({"recipe": "crop"}, {"needs": {"mask"}}, {"needs": {"mask"}, "border": "pet"},
                      {"classes": ["Bengal", "Abyssinian"]}, {"recipe": "small crop"}):  # fmt: skip
        assert "decoded images" in keep(**arguments), arguments
        count += 1
        assert len(entries(folder)) == count
    resize_one(tree, "Bengal_2", (41, 29))
    assert "decoded images" in keep()
    tree.write_heads("Bengal_2", (1, 1, 9, 9))
    assert "decoded images" in keep()


def test_too_large_is_said_in_memory_and_refused_on_disk(
    tree: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = split(tree, RECIPES["resize"])
    assert keep_decoded(files, "train", "memory", "", 0) is files
    assert "more than data.cache_max_gb: not cached" in capsys.readouterr().out
    with pytest.raises(ConfigError, match=r"give data\.cache_max_gb="):
        keep_decoded(files, "train", "disk", str(tmp_path / "cache"), 0)
    assert not entries(tmp_path / "cache")
    assert keep_decoded(files, "train", "none", "", 0) is files


@pytest.mark.parametrize("mode", ["memory", "disk"])
def test_a_run_with_kept_images_is_the_run_without(tree: Any, vggexp: Any, mode: str) -> None:
    words = ("data=pets", f"data.root={tree.root}", "backbone=vgg11", "backbone.width=0.05", "data.image_size=[32,32]",
             "data.workers=0", "head.hidden=8", "trainer.max_epochs=2", "trainer.precision=32", "data.batch_size=8",
             "data.cache_dir=kept")  # fmt: skip
    assert vggexp(*words, "run.dir=plain")[0] == 0
    code, out, errors = vggexp(*words, "run.dir=cached", f"data.cache={mode}")
    assert code == 0, errors
    assert out.count("data.cache: ") == (3 if mode == "disk" else 2)  # in memory, what is met once is not kept
    rows = [
        [
            json.loads(line)["train/loss"]
            for line in Path(run, "metrics.jsonl").read_text().splitlines()
            if "train/l" in line
        ]
        for run in ("plain", "cached")
    ]
    assert len(rows[0]) == 2
    assert rows[0] == rows[1]
