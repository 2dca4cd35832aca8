"""Which photo goes into which split."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vggexp.errors import ConfigError, DataError
from vggexp.sample.record.divide import divided
from vggexp.sample.record.record import Record
from vggexp.sample.record.splits import SplitRule, group_by, split_of_each


def records(count: int, split: str | None = None, group: str | None = None) -> list[Record]:
    return [Record(Path(f"{n}.jpg"), f"{split or 'x'}/{n}.jpg", ("a",), split=split, group=group) for n in range(count)]


@given(st.integers(1, 200), st.integers(1, 50), st.integers(0, 5))
def test_photos_that_are_added_move_none(first: int, more: int, seed: int) -> None:
    rule = SplitRule(seed=seed)
    before, after = split_of_each(records(first), rule), split_of_each(records(first + more), rule)
    assert {name: after[name] for name in before} == before


def test_shares_hold_on_average() -> None:
    found = Counter(split_of_each(records(20_000), SplitRule(val=0.1, test=0.25)).values())
    assert abs(found["val"] / 20_000 - 0.1) < 0.01
    assert abs(found["test"] / 20_000 - 0.25) < 0.012


def test_the_layouts_own_splits_stay() -> None:
    given_splits = [*records(30, "train"), *records(5, "val"), *records(5, "test")]
    assert split_of_each(given_splits, SplitRule()) == {each.name: each.split for each in given_splits}


def test_a_layout_without_val_gets_one_from_train() -> None:
    own = [*records(100, "train"), *records(5, "test")]
    found = split_of_each(own, SplitRule())
    assert Counter(found.values())["test"] == 5
    assert 5 <= Counter(found.values())["val"] <= 27
    assert not any(split == "val" for name, split in found.items() if name.startswith("test/"))


def test_a_layout_without_test_gets_none_unasked() -> None:
    own = [*records(100, "train"), *records(5, "val")]
    assert "test" not in split_of_each(own, SplitRule()).values()
    asked = split_of_each(own, SplitRule(test=0.3))
    assert "test" in asked.values()
    assert all(split == "val" for name, split in asked.items() if name.startswith("val/"))


def test_photos_in_no_list_are_in_no_split() -> None:
    assert split_of_each([*records(3, "train"), *records(2)], SplitRule(val=0)).keys() == {
        each.name for each in records(3, "train")
    }


def test_each_photo_is_in_val_of_one_fold() -> None:
    own = records(300)
    folds = [split_of_each(own, SplitRule(fold=fold, folds=5)) for fold in range(5)]
    assert all(Counter(fold[each.name] for fold in folds) == {"val": 1, "train": 4} for each in own)


def test_folds_leave_the_test_split_alone() -> None:
    own = [*records(100, "train"), *records(9, "val"), *records(9, "test")]
    for fold in range(3):
        found = split_of_each(own, SplitRule(fold=fold, folds=3))
        assert {name for name, split in found.items() if split == "test"} == {each.name for each in records(9, "test")}


def test_a_group_stays_together() -> None:
    own = [each for group in "abcdefghij" for each in records(7, None, group)]
    found = split_of_each(
        [Record(each.image, f"{each.group}/{each.name}", group=each.group) for each in own], SplitRule()
    )
    of_group = {name[0]: set() for name in found}  # type: dict[str, set[str]]
    for name, split in found.items():
        of_group[name[0]].add(split)
    assert all(len(splits) == 1 for splits in of_group.values())


def test_a_group_that_the_lists_divide_is_refused() -> None:
    own = [*records(1, "train", "p1"), *records(1, "val", "p1")]
    with pytest.raises(DataError, match=r"group 'p1' is in two splits: train/0.jpg is in train, val/0.jpg in val"):
        split_of_each(own, SplitRule())


def test_each_class_is_in_each_split_as_far_as_its_photos_allow() -> None:
    own = [Record(Path("x"), f"{name}/{n}.jpg", (name,)) for name in "abcdefgh" for n in range(3)]
    classes_of = {each.name: frozenset(each.labels) for each in own}
    splits, problems = divided(own, None, None, None, classes_of)
    for name in "abcdefgh":
        assert {splits[f"{name}/{n}.jpg"] for n in range(3)} == {"train", "val", "test"}
    assert problems == []
    single = [*own, Record(Path("x"), "rare/0.jpg", ("rare",))]
    splits, problems = divided(single, None, None, None, {each.name: frozenset(each.labels) for each in single})
    assert splits["rare/0.jpg"] == "train"
    assert [(problem.what, problem.where) for problem in problems] == [
        ("class without a photo in val", "rare"), ("class without a photo in test", "rare"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"val": 1.2}, "data.split.val=1.2 is not a number from 0 to below 1"),
        ({"val": 0.6, "test": 0.5}, "leave nothing to train on"),
        ({"vall": 0.1}, "data.split has no 'vall'; did you mean 'val'"),
    ],
)
def test_shares_that_cannot_be(words: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        divided(records(4), words, None, None, {})


@pytest.mark.parametrize(
    ("fold", "folds", "said"), [(5, 5, "count from 0"), (1, None, "go together"), (0, 1, "at least 2")]
)
def test_folds_that_cannot_be(fold: int, folds: int | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        SplitRule(fold=fold, folds=folds)


def test_a_photo_without_a_group_is_named() -> None:
    with pytest.raises(DataError, match=r"data.group=p\\d does not match x/0.jpg; every photo needs a group"):
        group_by(r"p\d")(records(1)[0])
    with pytest.raises(ConfigError, match="is not a regular expression"):
        group_by("(")


@given(st.integers(3, 9), st.integers(0, 20))
def test_no_split_of_a_few_photos_is_empty(count: int, seed: int) -> None:
    splits, _ = divided(records(count), {"seed": seed}, None, None, {})
    assert set(splits.values()) == {"train", "val", "test"}
