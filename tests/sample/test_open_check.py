"""Broken files are found before training, as a user meets it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vggexp.data.pets import Pets

Vggexp = Callable[..., tuple[int, str, str]]
WORDS = (
    "data=pets", "task=classification", "backbone=vgg11_bn", "backbone.width=0.05", "head.hidden=8", "head.pool=1",
    "data.image_size=[32,32]", "data.eval_transform=[{Resize: {size: [32,32]}}]", "data.train_transform=[]",
    "data.workers=0", "trainer.max_epochs=1", "run.dir=run",
)  # fmt: skip


@pytest.mark.parametrize("content", [b"", b"<html>404</html>"])
def test_a_broken_test_photo_ends_the_run_before_it_trains(content: bytes, tree: Any, vggexp: Vggexp) -> None:
    name = Pets(str(tree.root)).split("test", frozenset({"label"})).reader.names[4]  # neither the first nor the last
    tree.image(name).write_bytes(content)
    code, _, errors = vggexp(*WORDS, f"data.root={tree.root}")
    assert code == 1
    assert f"{name}.jpg of split 'test' is not an image that opens; fetch it again, or leave it out" in errors
    assert not Path("run/metrics.jsonl").exists()
