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
