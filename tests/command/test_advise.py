"""``advise``: a source that knows the digits is told from random weights, and its cost from the policy's own count."""

import json
import math
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

Vggexp = Callable[..., tuple[int, str, str]]
SMALL = ("backbone=vgg11_bn", "backbone.width=0.1", "head.hidden=8", "head.pool=1", "trainer.gpus=0", "timed=1")

DETECTOR = ("data.objects=[1,3]", "data.batch_size=2", "head.channels=8", "head.hidden=8", "head.samples=4",
            "head.proposals=8")  # fmt: skip


def test_it_probes_every_stage_and_counts_what_trains(vggexp: Vggexp) -> None:
    code, out, errors = vggexp("advise", *SMALL, "images=200", "output=new/folder/advice.json")
    assert code == 0, errors
    found = json.loads(Path("new/folder/advice.json").read_text())
    assert [(row["source"], row["stage"]) for row in found["probes"]] == [("none", stage) for stage in range(1, 6)]
    assert found["baseline"] == {"label": pytest.approx(0.1, abs=0.03)}
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
@pytest.mark.parametrize(
    ("task", "metrics", "words"),
    [
        ("localization", ["box_iou"], ()),
        ("segmentation", ["right cells"], ()),
        ("multitask", ["top1", "box_iou"], ()),
        ("detection", ["right regions"], ("head=faster_rcnn_fpn", *DETECTOR)),
        ("instance_segmentation", ["right regions"], DETECTOR),
    ],
)
def test_every_target_is_probed(task: str, metrics: list[str], words: tuple[str, ...], vggexp: Vggexp) -> None:
    own = [word for word in SMALL if not word.startswith("head")]
    code, out, errors = vggexp("advise", f"task={task}", *own, *words, "images=150", "output=advice.json")
    assert code == 0, errors
    assert [line.split("probe: ")[1].split()[0] for line in out.splitlines() if "probe: " in line] == [
        metric.split()[0] for metric in metrics
    ]
    found = json.loads(Path("advice.json").read_text())
    assert len(found["probes"]) == 5 * len(metrics)
    assert len(found["baseline"]) == len(metrics)
    assert all(row["seconds"] > 0 for row in found["costs"])


def test_the_command_keeps_the_users_words_and_can_be_run(vggexp: Vggexp) -> None:
    typed = ("data.classes=[1,7]", "backbone=vgg11_bn", "backbone.width=0.1", "optimizer.lr=0.01", "freeze=bias")
    code, _, errors = vggexp("advise", *typed, "images=60", "timed=0", "debug=true", "output=advice.json")
    assert code == 0, errors
    command = json.loads(Path("advice.json").read_text())["advice"]["command"]
    assert shlex.split(command) == ["python", "-m", "vggexp", *typed[:-1], "freeze=none"]
    code, _, errors = vggexp(*shlex.split(command)[3:], "trainer.max_epochs=1", "trainer.gpus=0", "callback=[]",
                             "run.dir=advised", "trainer.limit_train_batches=1")  # fmt: skip
    assert code == 0, errors


@pytest.mark.slow
def test_a_source_that_learned_the_digits_is_recommended(vggexp: Vggexp) -> None:
    words = ("backbone=vgg11_bn", "backbone.width=0.25", "trainer.gpus=0")
    code, _, errors = vggexp(
        *words, "head.hidden=32", "head.pool=1", "trainer.max_epochs=8", "run.dir=source", "callback=[]"
    )
    assert code == 0, errors
    code, out, errors = vggexp("advise", "source", *words, "timed=0", "output=advice.json")
    assert code == 0, errors
    assert "vggexp -m backbone=vgg11_bn" in out.replace("\n", " ")
    assert "backbone.weights=source freeze=stage freeze.stages=1,2,3,4,5" in out.replace("\n", " ")
    found = json.loads(Path("advice.json").read_text())
    best = {name: max(row["score"] for row in found["probes"] if row["source"] == name) for name in ("source", "none")}
    assert best["source"] > best["none"] + 0.2
    assert "backbone.weights=source" in found["advice"]["command"]
    leeps = {(row["source"], row["stage"]): row["leep"] for row in found["probes"] if row["leep"] is not None}
    assert list(leeps) == [("source", 5)]  # random weights have no classifier
    assert leeps["source", 5] > -math.log(10) + 0.2  # what a source that knows nothing of ten even classes gets
