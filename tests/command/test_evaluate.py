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
    assert f"{verb}: data.classes=[1, 0] has no effect" in errors


def test_a_run_does_not_go_on_with_other_classes(train_tiny: Callable[..., Path], vggexp: Vggexp) -> None:
    train_tiny("head.hidden=8", "head.pool=1", "data.classes=[0,1]")
    Path("run/summary.json").unlink()
    code, _, errors = vggexp("resume", "run", "data.classes=[1,0]")
    assert (code, errors.count("\n")) == (2, 1)
    assert "resume cannot change data.classes: its epochs so far were trained with another value" in errors
    assert vggexp("resume", "run")[0] == 0


def metric(file: str) -> dict[str, float]:
    content: dict[str, dict[str, float]] = json.loads(Path(file).read_text())
    return content["metrics"]


def test_vgg_s_ways_to_evaluate(train_tiny: Callable[..., Path], vggexp: Vggexp) -> None:
    """Each by its word; the dense form of a canvas at the training's size is the plain network."""
    train_tiny("head.hidden=8", "head.pool=1")
    assert vggexp("evaluate", "run")[0] == 0
    for word, name in {
        "evaluation=center": "center",
        "evaluation=multicrop": "multicrop",
        "evaluation=both": "both",
        "evaluation=dense": "dense",
    }.items():
        words = (word, "evaluation.sides=[32]", *(["evaluation.flip=false"] if name in ("center", "dense") else []))
        code, out, errors = vggexp("evaluate", "run", *words, "trainer.limit_test_batches=32")
        assert code == 0, errors
        assert out.endswith(f"scores: run/evaluation-test-{name}-32.json\n")
    plain = metric("run/evaluation-test.json")["test/top1"]
    assert metric("run/evaluation-test-center-32.json")["test/top1"] == pytest.approx(plain)
    assert metric("run/evaluation-test-dense-32.json")["test/top1"] == pytest.approx(plain)
    code, _, errors = vggexp("predict", "run", "nothing.png", "evaluation=dense")
    assert code != 0
    assert "nothing.png" in errors


def test_two_runs_are_scored_as_one(train_tiny: Callable[..., Path], vggexp: Vggexp) -> None:
    train_tiny("head.hidden=8", "head.pool=1", name="a")
    train_tiny("head=linear", "seed=2", name="b")
    code, out, errors = vggexp("evaluate", "checkpoint=[a,b]", "output=fused.json", "fusion=product")
    assert code == 0, errors
    assert "a + b on test\n" in out
    content = json.loads(Path("fused.json").read_text())
    assert content["checkpoint"] == ["a", "b"]
    assert content["fusion"] == "product"
    code, _, errors = vggexp("evaluate", "checkpoint=[a,a]", "output=same.json")
    assert code == 0, errors
    assert vggexp("evaluate", "a", "output=one.json")[0] == 0
    assert metric("same.json")["test/top1"] == metric("one.json")["test/top1"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("checkpoint=[RUN,RUN]", "output=x.json"), "runs of task=multitask cannot be joined"),
        (("checkpoint=[RUN,RUN]",), "several runs have no folder in common for their score: give output=FILE"),
        (("checkpoint=[RUN,other]", "output=x.json"), "evaluate: there is no other; give a run folder"),
        (("checkpoint=RUN", "fusion=mean"), "fusion=mean joins several runs: checkpoint=[runs/a,runs/b]"),
        (("checkpoint=RUN", "fusion=sum"), "fusion=sum is not known; choose from: mean, product"),
        (("checkpoint=RUN", "evaluation=dense"), "evaluation=dense averages the classes of a photo's parts"),
        (("checkpoint=RUN", "evaluation=dense", "evaluation.sides=256"), "evaluation.sides=256 is not a list of"),
        (("checkpoint=RUN", "evaluation=dense", "evaluation.sides=[64,64]"), "each once, such as [256, 384, 512]"),
        (("checkpoint=RUN", "evaluation=center", "evaluation.grid=3"), "there is no key 'evaluation.grid'"),
    ],
)
def test_what_cannot_be_evaluated_so_is_one_line(
    trained: Path, vggexp: Vggexp, words: tuple[str, ...], message: str
) -> None:
    code, _, errors = vggexp("evaluate", *(word.replace("RUN", str(trained)) for word in words))
    assert (code, errors.count("\n")) == (2, 1)
    assert message in errors


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "way", "message"),
    [
        (("head.hidden=8", "head.pool=3"), ("evaluation=dense",), "head.pool=3 does not divide the 1 x 1 cells"),
        (("head.hidden=8", "head.pool=1"), ("evaluation=multicrop", "evaluation.sides=[31]"), "31 is not a whole"),
        (("head=linear", "data.image_size=[48,48]"), ("evaluation=center", "evaluation.sides=[40]"), "40 is less than"),
    ],
)
def test_a_network_that_cannot_be_is_told(
    train_tiny: Callable[..., Path], vggexp: Vggexp, words: tuple[str, ...], way: tuple[str, ...], message: str
) -> None:
    train_tiny(*words)
    code, _, errors = vggexp("evaluate", "run", *way)
    assert (code, errors.count("\n")) == (2, 1)
    assert message in errors
