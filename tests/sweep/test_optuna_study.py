"""Optuna chooses, the runs answer: with the training replaced by a stub whose objective is the learning rate."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from vggexp.sweep.journal import Entry, Plan, seconds_left

optuna = pytest.importorskip("optuna")

Vggexp = Callable[..., tuple[int, str, str]]
SEARCH = (
    "-m", "hydra/sweeper=optuna", "hydra.sweeper.study=test", "hydra.sweeper.storage=sqlite:///optuna.db",
    "optimizer.lr=tag(log,interval(1e-4,1e-2))", "freeze=none,backbone",
)  # fmt: skip


def trials() -> list[Any]:
    """The study's trials, read by Optuna alone, its data base closed again."""
    storage = optuna.storages.RDBStorage("sqlite:///optuna.db")
    try:
        found: list[Any] = optuna.load_study(study_name="test", storage=storage).trials
        return found
    finally:
        storage.remove_session()
        storage.engine.dispose()


def states() -> list[str]:
    return [trial.state.name for trial in trials()]


@pytest.mark.slow
def test_a_search_is_made_of_runs_and_goes_on(stub: Any, vggexp: Vggexp) -> None:
    code, out, errors = vggexp(*SEARCH, "hydra.sweeper.n_trials=3")
    assert code == 0, errors
    assert "sweep 3/3" in out
    for trial in trials():
        assert trial.state.name == "COMPLETE"
        assert trial.value == pytest.approx(trial.params["optimizer.lr"])
        assert trial.intermediate_values == {0: 0.5}
        assert Path(trial.user_attrs["folder"], "summary.json").exists()
        assert 1e-4 <= trial.params["optimizer.lr"] <= 1e-2
        assert trial.params["freeze"] in ("none", "backbone")
    best = max(trials(), key=lambda trial: trial.value)
    assert f"best of 3 trials: {best.value:.4g}  optimizer.lr={best.value} freeze={best.params['freeze']}" in out
    code, out, errors = vggexp(*SEARCH, "hydra.sweeper.n_trials=5")
    assert code == 0, errors
    assert "sweep 2/2" in out
    assert len({trial.params["optimizer.lr"] for trial in trials()}) == len(trials()) == 5
    assert vggexp(*SEARCH, "hydra.sweeper.n_trials=5")[0] == 0
    assert len(stub.calls) == 5


def test_the_data_base_is_closed_at_the_end_of_a_search(
    stub: Any, vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.13 warns of a connection that is left to the garbage collector."""
    import sqlite3

    opened: list[Any] = []
    connect = sqlite3.dbapi2.connect
    monkeypatch.setattr(sqlite3.dbapi2, "connect", lambda *a, **b: opened.append(connect(*a, **b)) or opened[-1])
    assert vggexp(*SEARCH, "hydra.sweeper.n_trials=1")[0] == 0
    assert opened
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.cursor()


@pytest.mark.slow
def test_a_failed_trial_is_told_and_made_up_for(stub: Any, vggexp: Vggexp) -> None:
    stub.errors[1] = ZeroDivisionError("a bug")
    code, _, errors = vggexp(*SEARCH, "hydra.sweeper.n_trials=2")
    assert code == 1
    assert "2 of 2 jobs failed" in errors
    assert states() == ["FAIL", "FAIL"]
    stub.errors.clear()
    assert vggexp(*SEARCH, "hydra.sweeper.n_trials=2")[0] == 0
    assert states() == ["FAIL", "FAIL", "COMPLETE", "COMPLETE"]


def test_a_trial_that_was_cut_short_comes_again_with_the_same_words(stub: Any, vggexp: Vggexp) -> None:
    stub.errors[1] = KeyboardInterrupt()
    assert vggexp(*SEARCH, "hydra.sweeper.n_trials=2")[0] == 130
    assert states() == ["RUNNING"]
    stub.errors.clear()
    code, out, errors = vggexp(*SEARCH, "hydra.sweeper.n_trials=2")
    assert code == 0, errors
    assert out.count("was interrupted; starts again") == 1
    assert states() == ["FAIL", "COMPLETE", "COMPLETE"]
    first, again, _ = trials()
    assert again.params == first.params


def test_pruned_runs_are_pruned_trials(stub: Any, vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch) -> None:
    from vggexp.run_folder import RunFolder

    finish = RunFolder.finish
    monkeypatch.setattr(RunFolder, "finish", lambda self, summary: finish(self, {**summary, "pruned": {"epoch": 0}}))
    assert vggexp(*SEARCH, "hydra.sweeper.n_trials=2")[0] == 0
    assert states() == ["PRUNED", "PRUNED"]
    assert trials()[0].value == 0.5  # Optuna's: the last of its curve


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("x=a,b", "CategoricalDistribution(choices=('a', 'b'))"),
        ("x=interval(1e-4,1e-2)", "FloatDistribution(high=0.01, log=False, low=0.0001, step=None)"),
        ("x=tag(log,interval(1e-4,1e-2))", "FloatDistribution(high=0.01, log=True, low=0.0001, step=None)"),
        ("x=int(interval(1,8))", "IntDistribution(high=8, log=False, low=1, step=1)"),
        ("x=range(8,33,8)", "IntDistribution(high=32, log=False, low=8, step=8)"),
        ("x=tag(log,range(8,65))", "IntDistribution(high=64, log=True, low=8, step=1)"),
        ("x=range(0,1,0.25)", "FloatDistribution(high=0.75, log=False, low=0.0, step=0.25)"),
    ],
)
def test_hydras_sweeps_are_optunas_distributions(word: str, expected: str) -> None:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    from hydra_plugins.vggexp_optuna import distribution

    (override,) = OverridesParser.create().parse_overrides([word])
    assert str(distribution(override)) == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("hydra.sweeper.sampler=tpee",), "hydra.sweeper.sampler=tpee is not known; did you mean 'tpe'?"),
        (("hydra.sweeper.storage=sqlit:///x.db",), "hydra.sweeper.storage=sqlit:///x.db cannot be opened: "),
        (("hydra.sweeper.n_trial=3",), "there is no key 'hydra.sweeper.n_trial'"),
    ],
)
def test_a_mistake_is_one_line(words: tuple[str, ...], message: str, stub: Any, vggexp: Vggexp) -> None:
    code, _, errors = vggexp(*SEARCH, *words)
    assert code == 2
    assert message in errors
    assert errors.count("\n") == 1


def test_nothing_to_choose(stub: Any, vggexp: Vggexp) -> None:
    code, _, errors = vggexp("-m", "hydra/sweeper=optuna", "seed=1")
    assert code == 2
    assert "hydra/sweeper=optuna has nothing to search; give KEY=interval(LOW,HIGH) or KEY=A,B" in errors


def test_a_quoted_value_stands_for_several_words() -> None:
    from types import SimpleNamespace

    from vggexp.sweep.optuna_study import words

    params = {"freeze": "'stage freeze.stages=2'", "optimizer.lr": 0.001, "run.name": "'a b'"}
    assert words(SimpleNamespace(params=params)) == [
        "freeze=stage", "freeze.stages=2", "optimizer.lr=0.001", "run.name='a b'",
    ]  # fmt: skip


def test_the_title_of_a_trial_has_all_that_the_search_varies() -> None:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    from vggexp.sweep.optuna_study import keys

    policies = CategoricalDistribution(["none", "'stage freeze.stages=2'"])
    assert keys({"freeze": policies, "optimizer.lr": FloatDistribution(0.1, 1)}) == (
        "freeze", "optimizer.lr", "freeze.stages",
    )  # fmt: skip


def test_the_time_left_is_at_most_the_searchs() -> None:
    entries = [Entry(0, (), "done", seconds=60.0)]
    assert seconds_left(Plan(200), entries, now=1000.0) == 199 * 60
    assert seconds_left(Plan(200, until=1090.0), entries, now=1000.0) == 90
    assert seconds_left(Plan(2, until=1090.0), entries, now=1000.0) == 60
    assert seconds_left(Plan(200, until=1090.0), entries, now=1100.0) == 0


@pytest.mark.slow
def test_no_trial_begins_after_its_time(stub: Any, vggexp: Vggexp) -> None:
    code, out, errors = vggexp(*SEARCH, "hydra.sweeper.n_trials=3", "hydra.sweeper.seconds=0")
    assert code == 0, errors
    assert "hydra.sweeper.seconds=0 are over" in out
    assert not stub.calls
    assert vggexp(*SEARCH, "hydra.sweeper.n_trials=2", "hydra.sweeper.seconds=100")[0] == 0
    assert len(stub.calls) == 2


@pytest.mark.slow
def test_the_preset_searches_policies_with_their_own_keys(stub: Any, vggexp: Vggexp) -> None:
    words = ("hydra.sweeper.study=test", "hydra.sweeper.storage=sqlite:///optuna.db", "hydra.sweeper.sampler=random")
    code, out, errors = vggexp("experiment=policy_search", *words, "hydra.sweeper.n_trials=5")
    assert code == 0, errors
    assert "best of 5 trials" in out
    chosen = set()
    for trial in trials():
        config = yaml.safe_load(Path(trial.user_attrs["folder"], "config.yaml").read_text())
        policy, *keys = trial.params["freeze"].strip("'").split()
        assert config["choice"]["freeze"] == policy
        assert keys == ([f"freeze.stages={config['freeze']['stages']}"] if policy == "stage" else [])
        chosen.add(policy)
    assert "stage" in chosen
