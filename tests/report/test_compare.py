"""Settings, seeds and differences: against numbers worked out by hand."""

import json
from pathlib import Path

import pytest
import yaml

from tests.report.conftest import MakeRun
from vggexp.report.compare import groups, paired_difference, pareto
from vggexp.report.config_keys import distinguishing
from vggexp.report.runs import read_runs


def test_keys_that_the_choices_explain_do_not_distinguish(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("a", freeze="gradual", freezing={"every": 2}, optimizer={"lr": 0.1})
    make_run("b", freeze="none", freezing={"every": 0}, optimizer={"lr": 0.1})
    make_run("c", freeze="none", freezing={"every": 0}, optimizer={"lr": 0.5}, seed=2)
    assert distinguishing(read_runs(tmp_path / "runs")) == {"optimizer.lr": ["0.1", "0.1", "0.5"]}


def test_a_part_that_some_runs_lack_is_one_difference(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("a", part={"name": "x", "width": 2}, optimizer={"lr": 0.1, "decay": 0.2})
    make_run("b", optimizer={"lr": 0.5, "decay": 0.6})
    found = distinguishing(read_runs(tmp_path / "runs"))
    assert found == {"part.name": ["x", ""], "optimizer.lr": ["0.1", "0.5"], "optimizer.decay": ["0.2", "0.6"]}


def test_a_setting_is_what_differs_but_the_seed(make_run: MakeRun, tmp_path: Path) -> None:
    for seed in (1, 2):
        make_run(f"a{seed}", seed=seed)
        make_run(f"b{seed}", seed=seed, freeze="backbone")
    make_run("c", optimizer={"lr": 0.5})
    make_run("d", task="classification")
    make_run("e", data={"classes": [1, 2]})
    found = {
        (group.task, group.data): [one.label for one in group.settings]
        for group in groups(read_runs(tmp_path / "runs"))
    }
    assert found == {
        ("segmentation", "digits"): ["none", "backbone", "none optimizer.lr=0.5"],
        ("classification", "digits"): ["none"],
        ("segmentation", "digits (1, 2)"): ["none"],
    }


def test_folds_whose_anchors_were_fitted_are_one_setting(make_run: MakeRun, tmp_path: Path) -> None:
    """Each fold's objects give other numbers; numbers that were typed are another setting."""
    for fold, side in enumerate((0.2, 0.3)):
        make_run(f"a{fold}", data={"fold": fold}, head={"gives": "objects", "finest": side, "fitted": ["finest"]})
    make_run("b", data={"fold": 0}, head={"gives": "objects", "finest": 0.2, "fitted": []})
    (group,) = groups(read_runs(tmp_path / "runs"))
    assert sorted(len(one.runs) for one in group.settings) == [1, 2]


def test_folders_with_other_classes_are_other_data_sets(make_run: MakeRun, tmp_path: Path) -> None:
    """One data option, three folders; the third has the first's names in another order."""
    for name, classes in {"a": ["cat", "dog"], "b": ["car", "bus"], "c": ["dog", "cat"], "d": ["cat", "dog"]}.items():
        folder = make_run(name, task="classification", head={"gives": "class_logits"})
        config = yaml.safe_load((folder / "config.yaml").read_text())
        (folder / "config.yaml").write_text(yaml.safe_dump({**config, "task": {"needs": ["label"]}}))
        summary = json.loads((folder / "summary.json").read_text())
        (folder / "summary.json").write_text(json.dumps({**summary, "classes": classes, "mask_classes": []}))
    found = {group.data: len(group.runs) for group in groups(read_runs(tmp_path / "runs"))}
    assert found == {"digits (cat, dog)": 2, "digits (car, bus)": 1, "digits (dog, cat)": 1}


def test_repeats_of_a_seed_count_as_one(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("a", 0.4)
    make_run("b", 0.6)
    make_run("c", 0.9, seed=2)
    (group,) = groups(read_runs(tmp_path / "runs"))
    assert group.settings[0].by_seed() == pytest.approx({1: 0.5, 2: 0.9})


def test_folds_are_repeats_of_one_setting(make_run: MakeRun, tmp_path: Path) -> None:
    """And another number of folds is another setting."""
    for fold in (0, 1, 2):
        make_run(f"a{fold}", 0.5 + fold / 10, data={"fold": fold, "folds": 3})
    make_run("b", 0.9, data={"fold": 0, "folds": 2})
    (group,) = groups(read_runs(tmp_path / "runs"))
    found = {one.label: one.by_seed() for one in group.settings}
    assert found == {
        "none": pytest.approx({(1, 0): 0.5, (1, 1): 0.6, (1, 2): 0.7}),
        "none data.folds=2": {(1, 0): 0.9},
    }


def test_a_paired_difference() -> None:
    """Differences 0.1, 0.2, 0.3: mean 0.2, deviation 0.1, t(0.975, 2) = 4.3027; 4.3027 * 0.1 / sqrt(3) = 0.2484."""
    found = paired_difference({1: 0.6, 2: 0.8, 3: 0.9, 4: 9.0}, {1: 0.5, 2: 0.6, 3: 0.6})
    assert found is not None
    assert (found.mean, found.half_width, found.seeds) == (pytest.approx(0.2), pytest.approx(0.2484, abs=1e-4), 3)


def test_too_few_seeds_for_an_interval() -> None:
    one = paired_difference({1: 0.6}, {1: 0.5, 2: 0.5})
    assert one is not None
    assert one.half_width is None
    assert paired_difference({1: 0.6}, {2: 0.5}) is None


@pytest.mark.parametrize(("mode", "front"), [("max", [1, 3]), ("min", [0])])
def test_the_pareto_front(mode: str, front: list[int]) -> None:
    assert pareto([(1, 0.2), (1, 0.5), (2, 0.4), (3, 0.9), (4, 0.9)], mode) == front
