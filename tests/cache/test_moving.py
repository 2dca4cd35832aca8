"""The cache follows the boundary of a freeze policy that changes, and the run ends where one without a cache does."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cache.test_feature_cache import DENSE, FEW, assert_equal_runs
from tests.e2e.test_resume import compare
from vggexp.cache.moving import Span, spans

Tiny = Callable[..., tuple[int, str, str]]
WORDS = ("data.train_transform=[]", "trainer.precision=32", *DENSE, *FEW)


def test_a_span_ends_where_the_number_of_frozen_stages_changes() -> None:
    assert spans([5, 5, 4, 4, 4, 5]) == [Span(5, 0, 2), Span(4, 2, 5), Span(5, 5, 6)]
    assert spans([]) == []


@pytest.mark.parametrize(
    ("words", "stages"),
    [
        (("freeze=linear_probe", "freeze.epochs=3", "trainer.max_epochs=5"), [5]),
        (("freeze=gradual", "freeze.every=2", "trainer.max_epochs=5"), [5, 4]),
        pytest.param(
            ("freeze=linear_probe", "freeze.epochs=2", "trainer.max_epochs=3", "task=localization", "head.hidden=[8]"),
            [5],
            marks=pytest.mark.slow,
        ),
    ],
    ids=["linear_probe", "gradual", "localization"],
)
def test_a_run_ends_where_one_without_the_cache_does(words: tuple[str, ...], stages: list[int], tiny: Tiny) -> None:
    code, out, errors = tiny(*WORDS, *words, "run.dir=cached")
    assert code == 0, errors
    for split in ("train", "val"):
        said = [line for line in out.splitlines() if line.startswith("cache: stage") and f"of {split}" in line]
        assert [int(line.split()[2]) for line in said] == stages
    assert tiny(*WORDS, *words, "run.dir=plain", "cache=off")[0] == 0
    assert_equal_runs("cached", "plain")


def test_a_phase_of_one_epoch_is_not_cached(tiny: Tiny) -> None:
    code, out, errors = tiny(*WORDS, "freeze=gradual", "freeze.every=1", "trainer.max_epochs=2", "run.dir=run")
    assert code == 0, errors
    assert "cache:" not in out


def test_views_are_computed_only_in_a_span_that_uses_them_more_than_once(tiny: Tiny) -> None:
    words = (
        *WORDS[1:],
        "freeze=linear_probe",
        "freeze.epochs=2",
        "trainer.max_epochs=3",
        "run.dir=run",
        "cache.views=2",
    )
    code, out, errors = tiny(*words, "data.train_transform=[RandomHorizontalFlip]")
    assert code == 0, errors
    assert "cache: stage 5 of val" in out
    assert "of train" not in out


@pytest.mark.slow
@pytest.mark.parametrize("place", [(1, 1), (3, 1)])
def test_a_resumed_run_uses_features_in_the_same_epochs(
    place: tuple[int, int], train_tiny: Callable[..., Path], vggexp: Callable[..., tuple[int, str, str]]
) -> None:
    """Cut within the first or within the second phase, with one epoch of it left: the same weights, bit for bit."""
    words = ("freeze=gradual", "freeze.every=2", "data.train_transform=[]", "trainer.save_every=1", *FEW)
    compare(words, place, train_tiny, vggexp)
