"""Every class has the same part of an epoch, whatever its number of samples."""

from collections import Counter
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vggexp.errors import DataError
from vggexp.sample.balance import balanced, labels_of


def draws(labels: list[int], seed: int) -> list[tuple[int, int]]:
    return balanced(labels, torch.Generator().manual_seed(seed))


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=60), st.integers(0, 2**31))
def test_an_epoch_keeps_its_length_and_classes_have_equal_parts(labels: list[int], seed: int) -> None:
    found = draws(labels, seed)
    assert found == draws(labels, seed)
    assert len(found) == len(set(found)) == len(labels)
    parts = Counter(labels[index] for index, _ in found)
    assert max(parts.values()) - min(parts[label] for label in set(labels)) <= 1
    for label in set(labels):
        times = Counter(index for index, _ in found if labels[index] == label)
        of_class = [index for index, its in enumerate(labels) if its == label]
        assert max(times.values(), default=0) - min(times[index] for index in of_class) <= 1
        for index, count in times.items():
            assert sorted(before for drawn, before in found if drawn == index) == list(range(count))


def test_over_epochs_every_sample_of_a_class_is_as_likely_as_another() -> None:
    labels = [0] * 20 + [1] * 5 + [2] * 2
    times = Counter(index for seed in range(300) for index, _ in draws(labels, seed))
    for members in (range(20), range(20, 25), range(25, 27)):
        counts = [times[index] for index in members]
        assert max(counts) / min(counts) < 1.35
    assert sum(times[index] for index in range(25, 27)) == 300 * 9
    uneven = Counter(labels[index] for seed in range(300) for index, _ in draws(labels[:-1], seed))
    assert max(uneven.values()) / min(uneven.values()) < 1.03


class Listed:
    labels = torch.tensor([2, 0])

    def __len__(self) -> int:
        raise AssertionError("its samples are read")


class Batched(list[Any]):
    def __getitems__(self, indices: list[int]) -> list[Any]:
        return [self[index] for index in indices]


def test_labels_are_those_that_a_data_set_lists_or_else_its_samples() -> None:
    assert labels_of(Listed()) == [2, 0]
    for kind in (list, Batched):
        assert labels_of(kind([{"label": torch.tensor(3)}, {"label": 1}])) == [3, 1]
    with pytest.raises(DataError, match=r"sample 1 of train has no label; use data\.sampling=shuffle"):
        labels_of([{"label": 1}, {}])
