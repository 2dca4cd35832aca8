"""The objective: which epoch is the best one, and that there is a metric of this name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vggexp.config.recorded import amend

Vggexp = Callable[..., tuple[int, str, str]]
SMALL = ("head.hidden=8", "head.pool=1", "callback=[]", "baseline=false")


def test_of_a_loss_the_lowest_is_the_best(train_tiny: Callable[..., Path]) -> None:
    words = ("objective.metric=loss", "trainer.max_epochs=3", "optimizer.lr=0.3", "scheduler=constant")
    folder = train_tiny(*SMALL, *words)
    objective = json.loads((folder / "summary.json").read_text())["objective"]
    rows = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    assert objective["mode"] == "min"
    assert objective["value"] == min(row["val/loss"] for row in rows if "val/loss" in row)


@pytest.mark.parametrize("metric", ["top11", "val/top1", "loss_box"])
def test_a_metric_that_nobody_logs(metric: str, tiny: Vggexp) -> None:
    code, _, errors = tiny(*SMALL, f"objective.metric={metric}", "run.dir=a")
    assert code == 2
    assert f"objective.metric={metric} is not logged; " in errors
    assert ("did you mean 'top1'?" in errors) == ("top" in metric)
    assert not Path("a").exists()


def test_the_direction_follows_a_change_of_the_metric(vggexp: Vggexp) -> None:
    recorded: dict[str, Any] = {
        "task": {"objective": {"metric": "top1", "mode": "max"}},
        "objective": {"metric": "top1", "mode": "max"},
    }
    assert amend(recorded, {"objective": {"metric": "loss"}})["objective"] == {"metric": "loss", "mode": "min"}
    code, _, errors = vggexp("objective.metric=loss", "objective.mode=max")
    assert (code, "of loss, lower is better; use min" in errors) == (2, True)
