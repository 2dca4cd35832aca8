"""The jobs of a sweep share features while one process runs them, and end as runs by themselves do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.cache.test_feature_cache import PLAIN
from vggexp.cache.feature_cache import SWEEP_FEATURES
from vggexp.cache.sweep_features import SweepFeatures
from vggexp.transfer.checkpoint import read_checkpoint

Tiny = Callable[..., tuple[int, str, str]]
WORDS = (*PLAIN, "head=linear", "freeze=backbone", "backbone.weights=source")
AGAIN = "as in an earlier job of the sweep"


@pytest.fixture(autouse=True)
def _source(train_tiny: Callable[..., Path]) -> Any:
    SWEEP_FEATURES.clear()
    train_tiny("head=linear", "test=false", "callback=[]", name="source")
    yield
    SWEEP_FEATURES.clear()


def rows(folder: str) -> list[dict[str, Any]]:
    lines = Path(folder, "metrics.jsonl").read_text().splitlines()
    return [{key: value for key, value in json.loads(line).items() if key != "time"} for line in lines]


def assert_same_runs(one: str, other: str) -> None:
    """Bit for bit: their features were computed by the same code in the same batches."""
    a, b = (read_checkpoint(Path(folder, "checkpoint", "last.ckpt")) for folder in (one, other))
    assert a["state_dict"].keys() == b["state_dict"].keys()
    assert [name for name, tensor in a["state_dict"].items() if not torch.equal(tensor, b["state_dict"][name])] == []
    assert rows(one) == rows(other)
    assert Path(one, "freeze.csv").read_text() == Path(other, "freeze.csv").read_text()
    scores = [json.loads(Path(folder, "summary.json").read_text()) for folder in (one, other)]
    values = [{name: -1 if value is None else value for name, value in each["metrics"].items()} for each in scores]
    # The test split's features are computed in batches, as the images of a run by itself are; one sum may round apart.
    assert values[0] == pytest.approx(values[1], rel=1e-5)
    assert scores[0]["baseline"] == scores[1]["baseline"]


def test_heads_of_a_sweep_equal_those_of_single_runs(tiny: Tiny) -> None:
    words = ("-m", *WORDS, "seed=1,2", "optimizer.lr=0.1,0.01", "run.dir='${seed}-${optimizer.lr}'")
    code, out, errors = tiny(*words)
    assert code == 0, errors
    assert out.count(AGAIN) == 3 * 3  # train, val and test of all jobs but the first
    code, out, errors = tiny(*WORDS, "seed=2", "optimizer.lr=0.01", "run.dir=alone")
    assert code == 0, errors
    assert AGAIN not in out
    assert_same_runs("2-0.01", "alone")
    files = [{path.name for path in Path(folder).rglob("*")} for folder in ("2-0.01", "alone")]
    assert files[0] == files[1]


@pytest.mark.slow
def test_what_has_other_features_computes_them(tiny: Tiny) -> None:
    """Another backbone, other images or other frozen stages; and a job that trains everything holds none."""
    for words, computed in (
        (("seed=1,2", "backbone.weights=none"), 6),  # each seed draws its own backbone
        (("data.size=[16,30],[20,30]",), 6),
        (("data.batch_size=8,16",), 3),
        (("cache=auto,disk",), 6),
        (("seed=1,2", "cache.share=false"), 4),  # train and val; a run by itself reads test once
    ):
        SWEEP_FEATURES.clear()
        others = [word for word in WORDS if word.partition("=")[0] not in {each.partition("=")[0] for each in words}]
        code, out, errors = tiny("-m", *others, *words, "callback=[]", "run.overwrite=true")
        assert code == 0, errors
        assert out.count(" images, ") == computed, words
    tiny("-m", *WORDS[:-2], "freeze=backbone,none", "callback=[]")
    assert SWEEP_FEATURES.find("train", "") is None
    assert not SWEEP_FEATURES._kept


@pytest.mark.slow
def test_a_sweep_goes_on_after_a_job_fails_and_after_it_was_killed(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    from vggexp.learner.learner import Learner

    words = ("-m", *WORDS, "optimizer.lr=0.1,0.03,0.01", "run.dir='lr${optimizer.lr}'", "callback=[]")
    start = Learner.on_train_batch_start

    def break_down(self: Learner, batch: Any, batch_idx: int) -> None:
        if (self._config["optimizer"]["lr"], self.current_epoch) == (0.03, 1):
            raise RuntimeError("broken")
        start(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "on_train_batch_start", break_down)
        code, _, errors = tiny(*words)
    assert code == 1
    assert "1 of 3 jobs failed" in errors
    assert all(Path(name, "summary.json").exists() for name in ("lr0.1", "lr0.01"))
    SWEEP_FEATURES.clear()  # as in a new process
    code, out, errors = tiny(*words)
    assert code == 0, errors
    assert "lr0.03 was interrupted; resumes from its last checkpoint" in out
    assert tiny(*WORDS, "optimizer.lr=0.03", "run.dir=alone", "callback=[]")[0] == 0
    assert_same_runs("lr0.03", "alone")


def test_a_split_whose_features_are_others_is_dropped_first() -> None:
    kept = SweepFeatures()
    kept.keep("train", "a", {"feature": 1})
    kept.keep("val", "a", {"feature": 2})
    assert kept.find("train", "a") == {"feature": 1}
    assert kept.find("train", "b") is None
    assert kept.find("train", "a") is None
    assert kept.find("val", "a") == {"feature": 2}
