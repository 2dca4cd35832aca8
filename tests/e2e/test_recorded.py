"""Runs that the version of 2026-11-25 wrote (``recorded/``): every verb still takes them up.

Their configs name classes and keys that have moved since; ``transfer/renamed.py`` has today's names.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

Run = Callable[..., tuple[int, str, str]]
RECORDED = Path(__file__).parent / "recorded"
TASKS = sorted(folder.name for folder in RECORDED.iterdir())


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    shutil.copytree(RECORDED, tmp_path / "runs")
    return tmp_path / "runs"


def test_that_there_is_a_run_of_each_task_with_old_names() -> None:
    assert TASKS == ["classification", "localization", "multitask", "segmentation"]
    for task in TASKS:
        config = yaml.safe_load((RECORDED / task / "config.yaml").read_text())
        assert config["trainer"]["_target_"] == "vggexp.trainer.build_trainer"
        assert {"constant"} <= config.keys()
        assert {"meet"} <= config["trainer"].keys()
        assert {"evidence"} <= config["callback"].keys()


@pytest.mark.parametrize("task", TASKS)
def test_evaluate_and_predict(task: str, runs: Path, vggexp: Run) -> None:
    code, _, errors = vggexp("evaluate", str(runs / task))
    assert code == 0, errors
    scores = json.loads((runs / task / "evaluation-test.json").read_text())
    summary = json.loads((runs / task / "summary.json").read_text())
    recorded = {name: value for name, value in summary["metrics"].items() if name.startswith("test/")}
    assert recorded.keys() <= scores["metrics"].keys()
    for name, value in recorded.items():
        assert scores["metrics"][name] == pytest.approx(value, abs=1e-5)
    known = scores["baseline"].keys() & summary["constant"].keys()  # newer versions score more
    assert known
    for name in known:
        value = scores["baseline"][name]
        assert summary["constant"][name] == pytest.approx(value, abs=1e-5)

    Image.fromarray(np.full((40, 40, 3), 90, np.uint8)).save("photo.png")
    code, _, errors = vggexp("predict", str(runs / task), "photo.png", "output=out")
    assert code == 0, errors
    (row,) = Path("out/predictions.jsonl").read_text().splitlines()
    assert json.loads(row)["width"] == 40


def test_rerun(runs: Path, vggexp: Run) -> None:
    code, _, errors = vggexp("rerun", str(runs / "localization"), "run.dir=again")
    assert code == 0, errors
    summary = json.loads(Path("again/summary.json").read_text())
    recorded = json.loads((runs / "localization" / "summary.json").read_text())
    assert summary["metrics"]["test/box_iou"] == pytest.approx(recorded["metrics"]["test/box_iou"], abs=1e-4)
    assert summary["baseline"].keys() == recorded["constant"].keys()


def test_report(runs: Path, vggexp: Run) -> None:
    code, out, errors = vggexp("report", str(runs))
    assert code == 0, errors
    assert all(task in out for task in TASKS)
    assert "baseline" in out
    assert "confusion" in (runs / "report.html").read_text()


def test_words_in_their_old_form_still_work_and_say_the_new_one(vggexp: Run) -> None:
    code, out, errors = vggexp("constant=false", "callback=[evidence]", "trainer.meet=a:1", "--cfg", "job")
    assert code == 0
    config = yaml.safe_load(out)
    assert config["baseline"] is False
    assert config["trainer"]["rendezvous"] == "a:1"
    assert config["callback"].keys() == {"diagnostics"}
    assert "constant=false is now written baseline=false" in errors
