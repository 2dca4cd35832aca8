"""Which images are gained and lost, against counting by hand."""

from typing import Any

import pytest
from scipy import stats

from vggexp.deploy.compare.agreement import agreement, hindrance


def classifier(score: list[float | None], predicted: list[int]) -> dict[str, Any]:
    each = {"label": [0, 0, 1, 1, 1], "predicted": predicted}
    return {"index": [4, 5, 6, 7, 9], "score": score, "classes": ["a", "b"],
            "diagnostics": {"classification": {"each": each}}}  # fmt: skip


FIRST = classifier([0.9, 0.4, 0.8, 0.3, 0.7], [0, 1, 1, 0, 1])
SECOND = classifier([0.8, 0.75, 0.1, 0.6, 0.9], [0, 0, 0, 1, 1])


def test_a_classifier_gains_what_it_alone_has_right() -> None:
    found = agreement(FIRST, SECOND)
    assert found["right"] | {"p": 0} == {"both": 2, "first": 1, "second": 2, "neither": 0, "p": 0}
    assert found["right"]["p"] == 1.0  # of three that differ, one or two on a side: all outcomes but 3 and 0 likewise
    assert [row[0] for row in found["gained"]] == [5, 7]
    assert found["lost"] == [[6, 0.8, 0.1]]
    change = [b - a for a, b in zip(FIRST["score"], SECOND["score"], strict=True)]
    assert found["difference"] == pytest.approx(sum(change) / 5)
    low, high = stats.ttest_rel(SECOND["score"], FIRST["score"]).confidence_interval(0.95)
    assert found["interval"] == pytest.approx((high - low) / 2)


def test_other_tasks_gain_by_a_margin_and_images_without_a_score_do_not_count() -> None:
    first: dict[str, Any] = {"index": [0, 1, 2, 3], "score": [0.5, 0.5, None, 0.5], "diagnostics": {"segmentation": {}}}
    second = {**first, "score": [0.55, 0.7, 0.9, 0.2]}
    found = agreement(first, second)
    assert found["count"] == 3
    assert [row[0] for row in found["gained"]] == [1]
    assert [row[0] for row in found["lost"]] == [3]
    assert found["margin"] == 0.1


@pytest.mark.parametrize(
    ("second", "prints", "said"),
    [
        (None, (None, None), "b kept nothing of its single test images; python -m vggexp evaluate b"),
        ({**SECOND, "classes": ["a", "c"]}, ("1", "1"), "they have other classes"),
        ({**SECOND, "diagnostics": {"segmentation": {}}}, ("1", "1"), "a predicts classification, b segmentation"),
        ({**SECOND, "index": [1, 2, 3, 4, 5]}, (None, None), "other images"),
        (SECOND, ("1", "2"), "other images"),
        (SECOND, ("1", None), ""),
    ],
)
def test_what_cannot_be_compared_is_said(second: Any, prints: tuple[str | None, str | None], said: str) -> None:
    why = hindrance(["a", "b"], [FIRST, second], prints)
    assert said in why
    assert bool(why) == bool(said)
