"""A compiled run is the run."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from vggexp.compilation import pays
from vggexp.weights import read_checkpoint

Tiny = Callable[..., tuple[int, str, str]]


def losses(folder: str) -> list[float]:
    rows = map(json.loads, Path(folder, "metrics.jsonl").read_text().splitlines())
    return [row["train/loss"] for row in rows if "train/loss" in row]


@pytest.mark.slow
def test_a_compiled_run_is_the_uncompiled_one_to_rounding_while_freezing_changes(tiny: Tiny) -> None:
    words = ("trainer.max_epochs=3", "freeze=gradual", "freeze.every=1", "head=linear", "trainer.ema=0.9")
    assert tiny(*words, "run.dir=plain")[0] == 0
    code, out, errors = tiny(*words, "run.dir=compiled", "trainer.compile=true")
    assert code == 0, errors
    assert "trainer.compile: the first step" in out
    assert len(losses("plain")) == 3
    assert losses("compiled") == pytest.approx(losses("plain"), rel=1e-3)
    plain, compiled = (
        read_checkpoint(Path(name, "checkpoint", "last.ckpt"))["state_dict"] for name in ("plain", "compiled")
    )
    assert plain.keys() == compiled.keys()
    for name, tensor in plain.items():
        torch.testing.assert_close(compiled[name], tensor, rtol=1e-2, atol=1e-3, msg=name)


@pytest.mark.parametrize(
    ("asked", "on_gpu", "images", "expected"),
    [("auto", True, 10**7, True), ("auto", True, 10**5, False), ("auto", False, 10**9, False),
     ("true", False, 1, True), (True, False, 1, True), (False, True, 10**9, False), ("false", True, 10**9, False)],
)  # fmt: skip
def test_what_is_compiled(asked: str | bool, on_gpu: bool, images: int, expected: bool) -> None:
    assert pays(asked, on_gpu, images, (224, 224)) is expected


def test_without_a_compiler_it_is_one_line(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    code, _, errors = tiny("trainer.compile=true", "trainer.gpus=0")
    assert code == 2
    assert "trainer.compile=true needs the compiler no-such-compiler" in errors
    code, _, errors = tiny("trainer.compile=atuo")
    assert code == 2
    assert "did you mean" in errors
