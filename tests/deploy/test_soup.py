"""The greedy average against a search by hand, and what cannot be averaged."""

from itertools import pairwise
from typing import Any

import pytest
import torch

from vggexp.deploy.soup import by_score, greedy, require_alike
from vggexp.errors import ConfigError
from vggexp.types import DataInfo


@pytest.mark.parametrize("mode", ["max", "min"])
def test_a_run_joins_if_the_average_is_no_worse(mode: str) -> None:
    """Each run is a number; the score of an average is its distance to 5, so that single good runs may not fit."""
    runs = [4.0, 4.5, 9.0, 5.25]
    sign = -1 if mode == "max" else 1

    def score(members: tuple[int, ...]) -> float:
        return sign * abs(sum(runs[place] for place in members) / len(members) - 5)

    tried = greedy([score((place,)) for place in range(4)], mode, score)
    assert [one.members for one in tried] == [(3,), (3, 1), (3, 1, 0), (3, 1, 2)]
    assert [one.kept for one in tried] == [True, True, False, False]
    kept = [one.score for one in tried if one.kept]
    assert all(sign * after <= sign * before for before, after in pairwise(kept))


def test_a_run_without_a_score_comes_last_and_never_joins() -> None:
    scores = [float("nan"), 0.5]
    assert by_score(scores, "max") == [1, 0]
    tried = greedy(scores, "max", lambda members: float("nan"))
    assert [one.kept for one in tried] == [True, False]


def config(task: str = "classification", data: str = "digits", size: int = 64) -> dict[str, Any]:
    return {"choice": {"task": task, "data": data}, "data": {"image_size": [size, size]}}


@pytest.mark.parametrize(
    ("second", "names", "width", "said"),
    [
        (config(task="segmentation"), ("a", "b"), 3, "task=classification and task=segmentation"),
        (config(data="pets"), ("a", "b"), 3, "data=digits and data=pets"),
        (config(size=32), ("a", "b"), 3, "images of"),
        (config(), ("b", "a"), 3, "in another order"),
        (config(), ("a", "b"), 4, "w is 3 in one and 4 in the other; average runs of one network"),
    ],
)
def test_what_cannot_be_averaged_is_said(second: Any, names: tuple[str, ...], width: int, said: str) -> None:
    infos = [DataInfo(("a", "b"), ()), DataInfo(names, ())]
    states = [{"w": torch.zeros(3)}, {"w": torch.zeros(width)}]
    with pytest.raises(ConfigError, match=said):
        require_alike(["x", "y"], [config(), second], infos, states, frozenset({"label"}))


def test_one_run_is_no_average() -> None:
    with pytest.raises(ConfigError, match="two or more runs"):
        require_alike(["x"], [config()], [], [], frozenset())
