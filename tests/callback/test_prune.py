"""The median rule, against Optuna's own pruner."""

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vggexp.callback.prune import Prune, is_hopeless
from vggexp.run_folder import RunFolder
from vggexp.sweep.journal import VARIABLE, Entry, Journal, Plan


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("seed", range(5))
def test_is_optunas_median_pruner(mode: str, seed: int) -> None:
    optuna = pytest.importorskip("optuna")
    draw = random.Random(seed)
    direction = "minimize" if mode == "min" else "maximize"
    pruner = optuna.pruners.MedianPruner(n_startup_trials=0, n_warmup_steps=0, n_min_trials=3)
    study = optuna.create_study(direction=direction, pruner=pruner)
    curves = [{epoch: draw.random() for epoch in range(draw.randint(1, 6))} for _ in range(7)]
    for curve in curves:
        values = {"value": curve[len(curve) - 1], "intermediate_values": curve}
        study.add_trial(optuna.trial.create_trial(**values))
    trial, seen = study.ask(), []
    for epoch in range(6):
        seen.append(draw.random())
        trial.report(seen[-1], epoch)
        best = max(seen) if mode == "max" else min(seen)
        assert is_hopeless(best, epoch, curves, mode, min_runs=3) == trial.should_prune()


def test_what_has_no_score_is_hopeless_once_there_is_something_to_compare_with() -> None:
    assert is_hopeless(math.nan, 0, [{0: 0.1}], "max", min_runs=1)
    assert not is_hopeless(math.nan, 0, [], "max", min_runs=1)
    assert not is_hopeless(0.0, 0, [{0: math.nan}], "max", min_runs=1)


def sibling(name: str, scores: list[float], **summary: Any) -> Entry:
    folder = RunFolder(name)
    folder.path.mkdir(parents=True)
    rows = [{"epoch": epoch, "val/top1": score} for epoch, score in enumerate(scores)]
    folder.metrics.write_text("".join(json.dumps(row) + "\n" for row in rows))
    folder.finish({"seed": 1, **summary})
    return Entry(int(name[-1]), (), "done", name)


def test_others_are_the_finished_runs_of_the_sweep_and_of_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(Path("journal"))
    journal.begin(Plan(5, earlier=("run4",)))
    for entry in (sibling("run0", [0.1]), sibling("run1", [0.2], pruned={"epoch": 0}), Entry(2, (), folder="run2")):
        journal.write(entry)
    sibling("run3", [0.3])  # of no sweep
    sibling("run4", [0.4])
    callback = Prune(Path("run2/prediction"))
    assert callback._others("val/top1") == []
    monkeypatch.setenv(VARIABLE, "journal")
    assert sorted(curve[0] for curve in callback._others("val/top1")) == [0.1, 0.4]


def test_a_run_that_falls_behind_is_stopped_and_says_so(
    train_tiny: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(Path("journal"))
    journal.begin(Plan(2))
    journal.write(sibling("run0", [0.0, 1.1, 1.1]))  # out of reach, but in the first epoch
    monkeypatch.setenv(VARIABLE, "journal")
    words = ("head=linear", "callback=prune", "callback.prune.min_runs=1", "trainer.max_epochs=3")
    summary = train_tiny(*words, name="run1").joinpath("summary.json")
    found = json.loads(summary.read_text())
    assert found["pruned"]["epoch"] == 1
    assert len(RunFolder("run1").curve("val/top1")) == 2
    assert not any(name.startswith("test/") for name in found["metrics"])
    journal.write(sibling("run2", [0.0, -1.0, -1.0]))  # worse than any: the median is below zero's reach
    journal.write(sibling("run3", [0.0, -1.0, -1.0]))
    found = json.loads(train_tiny(*words, name="run4").joinpath("summary.json").read_text())
    assert "pruned" not in found
    assert len(RunFolder("run4").curve("val/top1")) == 3
