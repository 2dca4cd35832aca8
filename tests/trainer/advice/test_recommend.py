"""The rule from probes to a policy."""

import numpy as np
import pytest

from vggexp.trainer.advice.estimate import Estimate, _compared
from vggexp.trainer.advice.recommend import RANDOM, Choice, Row, choose_source, over_targets, recommend


def rows(source: str, *scores: float, error: float = 0.01) -> list[Row]:
    return [Row(source, stage, score, error, 0.0) for stage, score in enumerate(scores, 1)]


def estimates(*scores: float, gap_error: float = 0.01) -> list[Estimate]:
    return [Estimate(frozen, score, 0.02, max(scores) - score, gap_error) for frozen, score in enumerate(scores)]


CHANCE = rows("none", 0.1, 0.2, 0.3, 0.3, 0.2)
HELPS = Choice("a", True, "a is best")


@pytest.mark.parametrize(
    ("found", "source", "helps"),
    [
        (rows("a", 0.3, 0.5, 0.8, 0.7, 0.6) + rows("b", 0.3, 0.5, 0.6, 0.9, 0.6), "b", True),
        (rows("a", 0.1, 0.2, 0.3, 0.31, 0.3), "a", False),
        (rows("a", 0.1, 0.1, 0.1, 0.1, 0.1), "a", False),
        ([], RANDOM, False),
    ],
    ids=["the better source", "no better than chance", "worse than chance", "no source"],
)
def test_the_source_of_the_best_probe_if_it_beats_random_weights(found: list[Row], source: str, helps: bool) -> None:
    choice = choose_source([*found, *CHANCE])
    assert (choice.source, choice.helps) == (source, helps)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (estimates(0.9, 0.9, 0.895, 0.892, 0.8, 0.7), ("freeze=stage", "freeze.stages=3")),
        (estimates(0.9, 0.85, 0.88, 0.86, 0.8, 0.7), ("freeze=none",)),
        (estimates(0.8, 0.85, 0.88, 0.9, 0.9, 0.895), ("freeze=backbone",)),
        ([], ("freeze=none",)),
    ],
    ids=["the deepest within an error", "each frozen stage costs", "all can be frozen", "no estimates"],
)
def test_the_most_stages_whose_estimate_is_within_an_error_of_the_best(
    found: list[Estimate], words: tuple[str, ...]
) -> None:
    assert recommend(HELPS, found).words == ("backbone.weights=a", *words)


def test_a_source_that_does_not_help_is_trained_whole() -> None:
    advice = recommend(Choice("a", False, "no better"), estimates(0.9, 0.9, 0.9, 0.9, 0.9, 0.9))
    assert advice.words == ("backbone.weights=a", "freeze=none")
    assert recommend(choose_source(CHANCE), []).words == ("freeze=none",)


def test_it_says_where_its_record_stands() -> None:
    assert "docs/advise.md" in recommend(HELPS, []).basis
    assert recommend(choose_source(CHANCE), []).basis == ""


def test_estimates_are_compared_image_by_image() -> None:
    """Freezing a stage more loses one image of four: the gap's error is that of the difference, not of two scores."""
    scores = np.ones((6, 4))
    scores[1:, 0] = 0
    found = _compared([scores])
    assert [one.score for one in found] == [1.0, *[0.75] * 5]
    assert found[0].gap == 0
    assert found[0].gap_error == 0
    assert found[1].gap == pytest.approx(0.25)
    assert found[1].gap_error == pytest.approx(np.std([1, 0, 0, 0]) / 2)
    both = _compared([scores, np.ones((6, 9))])
    assert both[1].score == pytest.approx(0.875)
    assert both[1].gap_error == pytest.approx(found[1].gap_error / 2)


def test_several_targets_are_weighed_by_the_mean_of_their_scores() -> None:
    found = over_targets([
        Row("a", 1, 0.4, 0.03, 0.0, target="label"), Row("a", 2, 0.6, 0.03, 0.0, target="label"),
        Row("a", 1, 0.8, 0.04, 0.0, target="box"), Row("a", 2, 0.7, 0.04, 0.0, target="box"),
    ])  # fmt: skip
    assert [(row.stage, row.score, row.error) for row in found] == [
        (1, pytest.approx(0.6), pytest.approx(0.025)), (2, pytest.approx(0.65), pytest.approx(0.025)),
    ]  # fmt: skip
