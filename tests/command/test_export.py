"""``export`` as a user types it, and what can be done with its files."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.command.test_predict import rows, write
from tests.conftest import TINY
from vggexp.transfer.checkpoint import read_checkpoint

Vggexp = Callable[..., tuple[int, str, str]]


@pytest.mark.slow
def test_onnx_with_numpy_alone_agrees_with_predict(trained: Path, vggexp: Vggexp) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="the format onnx needs its extra")
    pytest.importorskip("onnxscript", reason="the format onnx needs its extra")
    photo = write("photos/a.png", 90, 60)
    code, out, errors = vggexp("export", str(trained), "output=model.onnx", "input=photos")
    assert code == 0, errors
    assert "model.onnx" in out
    assert "checked on batches of 1 and 1 and 3:\n  largest difference: label 0" in out
    card = json.loads(Path("model.onnx.json").read_text())
    assert card["opset"] == 20
    assert card["classes"] == list("0123456789")
    assert card["preprocessing"]["decoding"].startswith("at full size: not a JPEG's decoder at a half")

    _, _, height, width = card["input"]["shape"]
    image = Image.open(photo).convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
    images = np.asarray(image).transpose(2, 0, 1)[None]
    probability, box = runtime.InferenceSession("model.onnx").run(["probability", "box"], {"images": images})
    assert vggexp("predict", str(trained), "photos", "output=out")[0] == 0
    (row,) = rows()
    # Pillow and torchvision round a resized pixel differently by one step of 256 at most.
    assert probability[0] == pytest.approx(list(row["probability"].values()), abs=1e-3)
    assert box[0] == pytest.approx(row["box"], abs=1e-3)


@pytest.mark.slow
def test_safetensors_is_a_checkpoint_and_the_start_of_another_run(trained: Path, vggexp: Vggexp) -> None:
    assert vggexp("export", str(trained), "format=safetensors", "output=out")[0] == 0
    file = Path("out/run.safetensors")
    whole, again = read_checkpoint(trained), read_checkpoint(file)
    assert again["config"] == whole["config"]
    assert again["state_dict"].keys() == whole["state_dict"].keys()
    assert all(torch.equal(again["state_dict"][name], tensor) for name, tensor in whole["state_dict"].items())

    write("photos/a.png", 50, 50)
    for checkpoint, folder in ((trained, "one"), (file, "two")):
        assert vggexp("predict", str(checkpoint), "photos", f"output={folder}")[0] == 0
    assert rows("one") == rows("two")

    start = (f"backbone.weights={file}", "freeze=backbone", "head.hidden=8", "head.pool=1")
    assert vggexp(*TINY, *start, "run.dir=next")[0] == 0
    grown = read_checkpoint(Path("next"))["state_dict"]
    name = "backbone.features.0.weight"
    assert torch.equal(grown[name], whole["state_dict"][name])
    code, _, errors = vggexp(*TINY, *start, "backbone.mean=[0,0,0]", "run.dir=other")
    assert code == 2
    assert f"the weights in {file} were trained with [0.485, 0.456, 0.406]" in errors


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("format=onxx",), "format=onxx is not known; did you mean 'onnx'?"),
        (("format=safetensors", "output=x.onnx"), "a file of format=safetensors ends in .safetensors"),
        (("input=nowhere",), "there is no nowhere; give an image"),
        (("tolerance=-1",), "tolerance=-1 is not a number of at least 0"),
    ],
)
def test_a_mistake_is_one_line(words: tuple[str, ...], message: str, trained: Path, vggexp: Vggexp) -> None:
    code, out, errors = vggexp("export", str(trained), *words)
    assert code in (1, 2)
    assert out == ""
    assert message in errors
    assert errors.count("\n") == 1


def test_a_file_is_not_replaced_unasked(trained: Path, vggexp: Vggexp) -> None:
    words = ("export", str(trained), "format=safetensors", "output=x.safetensors")
    Path("x.safetensors").write_text("mine")
    code, _, errors = vggexp(*words)
    assert code == 2
    assert "x.safetensors is there already; name another output, or say overwrite=true" in errors
    assert Path("x.safetensors").read_text() == "mine"
    assert vggexp(*words, "overwrite=true")[0] == 0
    assert read_checkpoint(Path("x.safetensors"))["config"]


def test_a_missing_extra_is_one_line(trained: Path, vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.delitem(sys.modules, "vggexp.deploy.format.onnx", raising=False)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    code, _, errors = vggexp("export", str(trained))
    assert code == 2
    assert errors == "vggexp: error: format=onnx is not installed; pip install 'vggexp[onnx]'\n"
