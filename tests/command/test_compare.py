"""``compare``: two tiny runs, and what it says where runs have less in common."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Vggexp = Callable[..., tuple[int, str, str]]
SMALL = ("head.hidden=8", "head.pool=1", "trainer.gpus=0")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("runs/a", "runs/b"), "there is no runs/a"),
        ((".",), "compare takes two runs, and was given 1"),
        ((".", ".", "."), "compare takes two runs, and was given 3"),
        ((".", ".", "points=2"), "points=2"),
        ((".", ".", "points=-1"), "points=-1"),
        ((".", ".", "images=3"), "CKA needs 4 images"),
    ],
)
def test_words_that_cannot_work(words: tuple[str, ...], said: str, vggexp: Vggexp) -> None:
    code, _, errors = vggexp("compare", *words)
    assert code == 2
    assert said in errors


@pytest.mark.slow
def test_two_runs_of_one_network(train_tiny: Callable[..., Path], vggexp: Vggexp) -> None:
    first = train_tiny("callback=[diagnostics]", *SMALL, name="a")
    second = train_tiny("callback=[diagnostics]", *SMALL, "freeze=backbone", "backbone.weights=a", "seed=2", name="b")
    code, out, errors = vggexp("compare", str(first), str(second), "images=40", "points=3", "output=found.json")
    assert code == 0, errors
    found = json.loads(Path("found.json").read_text())
    assert [found["drift"][f"stage{k}"]["distance"] for k in range(1, 6)] == [0.0] * 5
    assert found["drift"]["head"]["distance"] > 0
    assert found["cka"]["images"] == 40
    assert [found["cka"]["values"][k][k] for k in range(5)] == pytest.approx([1.0] * 5, abs=1e-4)
    line = found["line"]
    for name, run in ((0, first), (2, second)):
        recorded = json.loads((run / "summary.json").read_text())["metrics"]["val/loss"]
        assert line["scores"][name]["val/loss"] == pytest.approx(recorded, abs=1e-4)
    assert line["estimated"] == 0  # the backbone is the same in both, and the head has no such layers
    assert found["left_out"] == {}
    assert found["agreement"]["count"] > 0
    page = Path("compare.html").read_text()
    assert "Plotly.newPlot" in page
    assert "Weights: distance of each layer" in page
    assert "stage5" in out


@pytest.mark.slow
def test_runs_with_less_in_common_are_compared_in_what_they_have(
    train_tiny: Callable[..., Path], vggexp: Vggexp
) -> None:
    first = train_tiny("callback=[]", *SMALL, name="a")
    second = train_tiny("callback=[]", "task=segmentation", "backbone=vgg13_bn", "trainer.gpus=0", name="b")
    code, out, errors = vggexp("compare", str(first), str(second), "images=20", "page=null", "output=found.json")
    assert code == 0, errors
    found = json.loads(Path("found.json").read_text())
    assert set(found["left_out"]) == {"weights", "line between the weights", "single photos"}
    assert len(found["cka"]["values"]) == 5
    assert "not compared: line between the weights: the runs have other tasks (classification, segmentation)" in out
    assert not Path("compare.html").exists()
