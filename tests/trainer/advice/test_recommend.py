"""The rule from probes to a policy."""

import pytest

from vggexp.trainer.advice.recommend import Row, over_targets, recommend


def rows(source: str, *scores: float, error: float = 0.01) -> list[Row]:
    return [Row(source, stage, score, error, 0.0) for stage, score in enumerate(scores, 1)]


CHANCE = rows("none", 0.1, 0.2, 0.3, 0.3, 0.2)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (rows("a", 0.3, 0.5, 0.8, 0.81, 0.6), ("backbone.weights=a", "freeze=stage", "freeze.stages=4")),
        (rows("a", 0.3, 0.5, 0.8, 0.805, 0.8), ("backbone.weights=a", "freeze=backbone")),
        (rows("a", 0.3, 0.5, 0.8, 0.7, 0.6) + rows("b", 0.3, 0.5, 0.6, 0.9, 0.6),
         ("backbone.weights=b", "freeze=stage", "freeze.stages=4")),
        (rows("a", 0.1, 0.2, 0.3, 0.31, 0.3), ("backbone.weights=a", "freeze=none")),
        ([], ("freeze=none",)),
    ],
    ids=["a later stage loses", "all stages serve", "the better source", "no better than chance", "no source"],
)  # fmt: skip
def test_the_deepest_stage_within_an_error_of_the_best(found: list[Row], words: tuple[str, ...]) -> None:
    assert recommend([*found, *CHANCE]).words == words


@pytest.mark.parametrize("scores", [(0.3, 0.5, 0.8, 0.81, 0.6), (0.1, 0.2, 0.3, 0.31, 0.3)])
def test_it_says_what_it_rests_on_and_that_the_number_of_stages_is_not_predicted(scores: tuple[float, ...]) -> None:
    """As docs/advise.md found; without a source there is no claim to qualify."""
    advice = recommend([*rows("a", *scores), *CHANCE])
    assert "rests on linear probes" in advice.basis
    assert "do not predict how many stages to freeze" in advice.basis
    assert recommend(CHANCE).basis == ""


def test_several_targets_are_weighed_by_the_mean_of_their_scores() -> None:
    found = over_targets([
        Row("a", 1, 0.4, 0.03, 0.0, target="label"), Row("a", 2, 0.6, 0.03, 0.0, target="label"),
        Row("a", 1, 0.8, 0.04, 0.0, target="box"), Row("a", 2, 0.7, 0.04, 0.0, target="box"),
    ])  # fmt: skip
    assert [(row.stage, row.score, row.error) for row in found] == [
        (1, pytest.approx(0.6), pytest.approx(0.025)), (2, pytest.approx(0.65), pytest.approx(0.025)),
    ]  # fmt: skip
