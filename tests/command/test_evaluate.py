"""``evaluate`` as a user types it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Vggexp = Callable[..., tuple[int, str, str]]


def test_scores_go_where_they_are_wanted(trained: Path, vggexp: Vggexp) -> None:
    summary = json.loads((trained / "summary.json").read_text())
    code, out, errors = vggexp("evaluate", str(trained), "output=scores/mine.json")
    assert code == 0, errors
    assert out.endswith("scores: scores/mine.json\n")
    assert not (trained / "evaluation-test.json").exists()
    content = json.loads(Path("scores/mine.json").read_text())
    assert content["split"] == "test"
    assert content["metrics"]["test/score"] == pytest.approx(summary["metrics"]["test/score"])


def test_a_split_that_is_none_is_one_line(trained: Path, vggexp: Vggexp) -> None:
    code, _, errors = vggexp("evaluate", str(trained), "split=train")
    assert code == 2
    assert errors == "vggexp: error: split=train is not known; choose from: test, val\n"


def test_a_gpus_run_on_a_machine_without_one_is_told_what_to_say(
    trained: Path, vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    code, _, errors = vggexp("evaluate", str(trained), "trainer.gpus=1")
    assert code == 2
    assert errors == ("vggexp: error: trainer.gpus=1, and this machine has 0; trainer.gpus=0 uses the CPU\n")


@pytest.mark.parametrize(
    ("classes", "how"),
    [("[1,0,2,3,4,5,6,7,8,9]", "(in another order)"), ("[7,8]", "(other names)"), ("[0,1,2]", "(other names)")],
)
def test_other_classes_than_the_runs_are_refused(trained: Path, vggexp: Vggexp, classes: str, how: str) -> None:
    code, _, errors = vggexp("evaluate", str(trained), f"data.classes={classes}", "output=scores.json")
    assert (code, errors.count("\n")) == (2, 1)
    assert f"the classes of the run {trained} are [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]" in errors
    assert f"those of this data set {classes.replace(',', ', ')} {how}; evaluate on the run's own classes" in errors
    assert not Path("scores.json").exists()


def test_a_box_has_no_class(train_tiny: Callable[..., Path], vggexp: Vggexp) -> None:
    """A box network may be scored on objects that it was not trained on."""
    train_tiny("task=localization", "head.hidden=[8]", "head.pool=1", "data.classes=[0,1]")
    code, _, errors = vggexp("evaluate", "run", "data.classes=[7,8]")
    assert code == 0, errors


@pytest.mark.parametrize("verb", ["predict", "export", "demo"])
def test_verbs_that_open_no_data_set_take_no_word_of_it(trained: Path, vggexp: Vggexp, verb: str) -> None:
    words = {"predict": ("x.png", "output=out"), "export": (), "demo": ()}[verb]
    code, _, errors = vggexp(verb, str(trained), *words, "data.classes=[1,0]")
    assert (code, errors.count("\n")) == (2, 1)
    assert f"{verb}: data.classes has no effect" in errors


def test_a_run_does_not_go_on_with_other_classes(train_tiny: Callable[..., Path], vggexp: Vggexp) -> None:
    train_tiny("head.hidden=8", "head.pool=1", "data.classes=[0,1]")
    Path("run/summary.json").unlink()
    code, _, errors = vggexp("resume", "run", "data.classes=[1,0]")
    assert (code, errors.count("\n")) == (2, 1)
    assert "resume cannot change data.classes: its epochs so far were trained with another value" in errors
    assert vggexp("resume", "run")[0] == 0
