"""Detection by the real command: cached, resumed, merged, beside other tasks, and in two processes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.cache.test_feature_cache import FEW, assert_equal_runs
from tests.e2e.test_processes import launched
from tests.e2e.test_resume import compare
from vggexp.command.restore import restore
from vggexp.transfer.checkpoint import read_checkpoint

Tiny = Callable[..., tuple[int, str, str]]
HEAD = ("head.hidden=16", "head.pool=2", "head.samples=16", "head.proposals=30", "head.detections=10")
DETECTION = ("task=detection", "data.objects=[1,3]", *HEAD)
SIZE = ("data.size=[12,20]",)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [("freeze=stage", "freeze.stages=3"), ("freeze=backbone",)], ids=["stage", "backbone"]
)
def test_a_detector_on_cached_features_ends_where_one_without_does(words: tuple[str, ...], tiny: Tiny) -> None:
    """At stride 16 a detector reads stage 5 before its pooling, so features of stage 4 are kept at most."""
    plain = ("head.stride=16", "data.train_transform=[]", "trainer.precision=32", "trainer.max_epochs=2")
    common = (*DETECTION, *SIZE, *FEW, *words, *plain)
    code, out, errors = tiny(*common, "run.dir=cached")
    assert code == 0, errors
    assert f"cache: stage {3 if 'freeze=stage' in words else 4} of train" in out
    assert tiny(*common, "cache=off", "run.dir=plain")[0] == 0
    assert_equal_runs("cached", "plain")


@pytest.mark.slow
def test_a_detector_that_was_cut_short_resumes_bit_for_bit(train_tiny: Callable[..., Path], vggexp: Any) -> None:
    words = ("task=detection", "data.objects=[1,3]", *SIZE, *HEAD[2:], "freeze=gradual", "trainer.save_every=1")
    compare(words, (2, 1), train_tiny, vggexp)


@pytest.mark.slow
def test_a_classifier_a_box_head_and_a_detector_on_one_frozen_backbone(tiny: Tiny, vggexp: Any) -> None:
    data = ("data.objects=[1,3]", *SIZE)
    frozen = ("freeze=backbone", "backbone.weights=one")
    assert tiny("head.hidden=8", "head.pool=1", *data, "run.dir=one")[0] == 0
    assert tiny("task=localization", "head.hidden=[8]", "head.pool=1", *data, *frozen, "run.dir=two")[0] == 0
    assert tiny(*DETECTION, *SIZE, *frozen, "run.dir=three")[0] == 0
    code, out, errors = vggexp("graft", "one", "two", "three", "output=all")
    assert code == 0, errors
    assert "equal, bit for bit" in out
    merged, single = (json.loads(Path(name, "summary.json").read_text())["metrics"] for name in ("all", "three"))
    assert merged["test/map_50"] == single["test/map_50"]


@pytest.mark.slow
def test_detection_beside_other_tasks(tiny: Tiny) -> None:
    parts = [f"head.part.detection.{word.removeprefix('head.')}" for word in HEAD]
    code, _, errors = tiny("task=multitask", "task.parts=[classification,detection]", "data.objects=[1,3]", *SIZE,
                           "head.part.classification.hidden=8", "head.part.classification.pool=1", *parts,
                           "run.dir=both")  # fmt: skip
    assert code == 0, errors
    scores = json.loads(Path("both/summary.json").read_text())["metrics"]
    assert {"test/top1", "test/map_50"} <= scores.keys()
    restored = restore(Path("both"), {}).learner
    with torch.inference_mode():
        outputs = restored(torch.zeros(2, 3, 32, 32, dtype=torch.uint8))
    assert outputs["classification"].shape == (2, 10)
    assert len(outputs["detection"]) == 2


@pytest.mark.slow
def test_two_processes_evaluate_as_one(vggexp: Any) -> None:
    words = (*DETECTION, "data.size=[12,20]", "trainer.max_epochs=1", "trainer.limit_test_batches=1.0", "run.dir=two")
    code, _, errors = launched(*words)
    assert code == 0, errors
    divided = json.loads(Path("two/summary.json").read_text())["metrics"]
    code, _, errors = vggexp("evaluate", "two", "output=alone.json")
    assert code == 0, errors
    alone = json.loads(Path("alone.json").read_text())["metrics"]
    named = [name for name in alone if "loss" not in name]
    assert "test/map_50" in named
    assert {name: divided[name] for name in named} == pytest.approx({name: alone[name] for name in named}, nan_ok=True)


@pytest.mark.slow
def test_a_detector_starts_from_a_classifiers_dense_layers(tiny: Tiny) -> None:
    """fc6 and fc7 fit if the classifier has the same units and the same grid; the predictors are fresh."""
    data = ("data.objects=[1,3]", *SIZE)
    assert tiny("head.hidden=16", "head.pool=2", *data, "run.dir=one")[0] == 0
    still = ("optimizer=sgd", "optimizer.lr=0", "optimizer.weight_decay=0", "seed=2")
    start = ("head.weights=one", "head.weights_map=fitting")
    code, out, errors = tiny(*DETECTION, *SIZE, *still, "backbone.weights=one", *start, "run.dir=two")
    assert code == 0, errors
    assert "head weights: 4 tensors from one" in out
    one, two = (read_checkpoint(Path(name))["state_dict"] for name in ("one", "two"))
    dense = [f"head.classifier.{layer}.{kind}" for layer in (0, 3) for kind in ("weight", "bias")]
    assert all(torch.equal(one[name], two[name]) for name in dense)
    narrow = ["head.hidden=8" if word.startswith("head.hidden") else word for word in DETECTION]
    code, _, errors = tiny(*narrow, *SIZE, *start, "run.dir=three")
    assert code == 2
    assert "no layer fits this head" in errors
