"""``advise``: a source that knows the digits is told from random weights, and its cost from the policy's own count."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

Vggexp = Callable[..., tuple[int, str, str]]
SMALL = ("backbone=vgg11_bn", "backbone.width=0.1", "head.hidden=8", "head.pool=1", "trainer.gpus=0", "timed=1")


def test_it_probes_every_stage_and_counts_what_trains(vggexp: Vggexp) -> None:
    code, out, errors = vggexp("advise", *SMALL, "images=200", "output=new/folder/advice.json")
    assert code == 0, errors
    found = json.loads(Path("new/folder/advice.json").read_text())
    assert [(row["source"], row["stage"]) for row in found["probes"]] == [("none", stage) for stage in range(1, 6)]
    assert found["baseline"] == pytest.approx(0.1, abs=0.03)
    assert found["advice"]["command"].endswith("freeze=none")
    trained = [row["parameters"] for row in found["costs"]]
    assert trained == sorted(trained, reverse=True)
    assert len(set(trained)) == 6
    assert found["costs"][0]["cached"] is None
    assert all(row["cached"] > 0 for row in found["costs"][1:])
    assert "freeze=stage freeze.stages=3" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("task=multitask",), "advise can probe classification, localization, segmentation, and not task=multitask"),
        (("runs/nothing",), "there is no run folder or file runs/nothing"),
        (("imagenett",), "did you mean 'imagenet'"),
        (("backbone.weights=[runs/nothing,imagenet]",), "there is no run folder or file runs/nothing"),
        (("images=0",), "images=0"),
    ],
)
def test_what_cannot_be_advised_is_said(words: tuple[str, ...], said: str, vggexp: Vggexp) -> None:
    code, _, errors = vggexp("advise", "trainer.gpus=0", *words)
    assert code == 2
    assert said in errors


@pytest.mark.slow
@pytest.mark.parametrize("task", ["localization", "segmentation"])
def test_boxes_and_masks_are_probed_too(task: str, vggexp: Vggexp) -> None:
    words = [word for word in SMALL if not word.startswith("head")]
    code, out, errors = vggexp("advise", f"task={task}", *words, "images=150")
    assert code == 0, errors
    assert {"localization": "box_iou", "segmentation": "right cells"}[task] in out


@pytest.mark.slow
def test_a_source_that_learned_the_digits_is_recommended(vggexp: Vggexp) -> None:
    words = ("backbone=vgg11_bn", "backbone.width=0.25", "trainer.gpus=0")
    code, _, errors = vggexp(
        *words, "head.hidden=32", "head.pool=1", "trainer.max_epochs=8", "run.dir=source", "callback=[]"
    )
    assert code == 0, errors
    code, out, errors = vggexp("advise", "source", *words, "timed=0", "output=advice.json")
    assert code == 0, errors
    assert "backbone.weights=source -m freeze=stage freeze.stages=1,2,3,4,5" in out.replace("\n", " ")
    found = json.loads(Path("advice.json").read_text())
    best = {name: max(row["score"] for row in found["probes"] if row["source"] == name) for name in ("source", "none")}
    assert best["source"] > best["none"] + 0.2
    assert "backbone.weights=source" in found["advice"]["command"]
    leeps = {(row["source"], row["stage"]): row["leep"] for row in found["probes"] if row["leep"] is not None}
    assert list(leeps) == [("source", 5)]  # random weights have no classifier
    assert leeps["source", 5] > -math.log(10) + 0.2  # what a source that knows nothing of ten even classes gets
