"""Broken files and annotations of val and test are found before training, as a user meets it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.sample.test_contract import CONFIG
from vggexp.data.pets import Pets
from vggexp.errors import DataError
from vggexp.sample.files import Files
from vggexp.sample.open_check import check_files
from vggexp.sample.transform import Transform
from vggexp.trainer.splits import Splits

Vggexp = Callable[..., tuple[int, str, str]]
WORDS = (
    "data=pets", "task=classification", "backbone=vgg11_bn", "backbone.width=0.05", "head.hidden=8", "head.pool=1",
    "data.image_size=[32,32]", "data.eval_transform=[{Resize: {size: [32,32]}}]",
    "data.train_transform=[{Resize: {size: [32,32]}}]", "data.workers=0", "trainer.max_epochs=1", "run.dir=run",
)  # fmt: skip


def middle(tree: Any, split: str, *needs: str) -> str:
    """The name of an image that is neither the first nor the last of its split."""
    names: list[str] = Pets(str(tree.root)).split(split, frozenset(needs)).reader.names  # type: ignore[attr-defined]
    return names[len(names) // 2]


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", None])
def test_a_broken_test_photo_ends_the_run_before_it_trains(content: bytes | None, tree: Any, vggexp: Vggexp) -> None:
    name = middle(tree, "test", "label")
    path = tree.image(name)
    path.write_bytes(path.read_bytes()[:-100] if content is None else content)
    code, _, errors = vggexp(*WORDS, f"data.root={tree.root}")
    assert code == 1
    assert f"split 'test': {path} is truncated or not an image; fetch it again, or leave it out\n" in errors
    assert not Path("run").exists()


def check(tree: Any, *needs: str, **arguments: Any) -> None:
    """What a training checks of its files before it reads the training split."""
    config = {**CONFIG, "task": {"needs": list(needs)}}
    Splits(config, Pets(str(tree.root), **arguments), None).check_files()


@pytest.mark.parametrize("split", ["val", "test"])
def test_an_annotation_that_contradicts_its_photo_is_found(split: str, tree: Any) -> None:
    name = middle(tree, split, "mask")
    before = tree.trimap(name).read_bytes()
    tree.write_trimap(name, np.ones((24, 30)))
    check(tree, "label")  # what is not read is not asked
    for needs, box in (("mask", "head"), ("box", "body")):
        with pytest.raises(DataError, match=rf"^split '{split}': .*{name}\.png has 30 x 24 pixels, and its image 32 x"):
            check(tree, needs, box=box)
    tree.trimap(name).write_bytes(before[:-20])
    with pytest.raises(DataError, match=rf"{name}\.png is truncated or not an image"):
        check(tree, "mask")


def test_a_head_outside_its_photo_is_found_and_the_others_are_counted(tree: Any) -> None:
    held = [middle(tree, split, "box") for split in ("val", "test")]
    for name in held:
        tree.write_heads(name, (40, 30, 50, 40))
    with pytest.raises(DataError, match=rf"^split 'val': .*{held[0]}\.xml has a box outside its image"):
        check(tree, "box")
    names = Pets(str(tree.root)).split("val", frozenset({"label"})).reader.names  # type: ignore[attr-defined]
    for name in names:
        tree.image(name).write_bytes(b"")
    count = rf"\(the first of {len(names)} such samples\)"
    with pytest.raises(DataError, match=rf"{names[0]}\.jpg is truncated .* {count}$"):
        check(tree, "label")


def test_of_a_source_that_checks_nothing_the_images_are_looked_at(tmp_path: Path) -> None:
    class Bare:
        facts, has_masks = None, False

        def __len__(self) -> int:
            return 2

        def files(self, index: int) -> tuple[Path, ...]:
            return (tmp_path / f"{index}.png", tmp_path / f"{index}.txt")

        def read(self, index: int, shrink: Any) -> Any:
            raise AssertionError("decoded")

    files = Files(Bare(), Transform([]))
    for index in range(2):
        Image.new("RGB", (40, 40)).save(tmp_path / f"{index}.png")
    check_files(files, "val")
    (tmp_path / "1.png").write_bytes((tmp_path / "1.png").read_bytes()[:40])
    with pytest.raises(DataError, match=r"split 'val': .*1\.png is truncated"):
        check_files(files, "val")
