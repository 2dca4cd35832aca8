"""Scores of one pass, and those of the baseline, which is asked in one pass only."""

from typing import Any

import torch
from torch import Tensor, nn

from vggexp.learner.scoring import Scoring


class Mean(nn.Module):
    """The mean of what was predicted since the last reset."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[float] = []

    def update(self, prediction: dict[str, Tensor], batch: Any) -> None:
        self.seen += prediction["value"].tolist()

    def compute(self) -> dict[str, Tensor]:
        return {"mean": torch.tensor(self.seen).mean()}

    def reset(self) -> None:
        self.seen = []


class OneTask:
    def metrics(self) -> Mean:
        return Mean()


def one_pass(scoring: Scoring, split: str, *values: float) -> tuple[dict[str, float], int]:
    """The pass's scores, and how often the baseline was asked."""
    asked = []

    def baseline(batch: Any) -> dict[str, Tensor]:
        asked.append(batch)
        return {"value": torch.tensor([7.0])}

    for value in values:
        scoring.update(split, {"value": torch.tensor([float(value)])}, {}, baseline)
    return {name: float(score) for name, score in scoring.close(split).items()}, len(asked)


def test_each_pass_begins_afresh_and_the_baseline_is_scored_once_a_split() -> None:
    scoring = Scoring(OneTask(), score_baseline=True)  # type: ignore[arg-type]
    assert one_pass(scoring, "val", 1, 2) == ({"val/mean": 1.5}, 2)
    assert one_pass(scoring, "val", 4, 6) == ({"val/mean": 5.0}, 0)
    assert scoring.baseline == {"val/mean": 7.0}
    assert one_pass(scoring, "test", 3) == ({"test/mean": 3.0}, 1)
    assert scoring.baseline == {"val/mean": 7.0, "test/mean": 7.0}


def test_a_resumed_run_does_not_score_the_baseline_again() -> None:
    scoring = Scoring(OneTask(), score_baseline=True)  # type: ignore[arg-type]
    scoring.baseline = {"val/mean": 7.0}
    assert one_pass(scoring, "val", 1) == ({"val/mean": 1.0}, 0)


def test_without_the_baseline_none_is_scored() -> None:
    scoring = Scoring(OneTask(), score_baseline=False)  # type: ignore[arg-type]
    assert one_pass(scoring, "val", 1) == ({"val/mean": 1.0}, 0)
    assert scoring.baseline == {}
