"""Objects on disk come back to the bit, with or without masks, none too."""

import torch

from vggexp.cache.object_columns import packed, size_of, unpacked
from vggexp.types import ObjectList, Objects, same_objects

BOXES = torch.tensor([[0.0, 1.0, 5.0, 7.0], [2.0, 2.0, 4.0, 4.5]])
PLAIN = Objects(BOXES, torch.tensor([3, 0]), crowd=torch.tensor([True, False]))
MASKED = Objects(BOXES, torch.tensor([1, 2]), (torch.rand(2, 8, 9) > 0.5).to(torch.uint8))
EMPTY = Objects(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))


def test_there_and_back() -> None:
    for objects in ([PLAIN, EMPTY, PLAIN[:1]], [MASKED, MASKED[:1]]):
        columns = {"index": torch.arange(len(objects)), "objects": ObjectList(objects)}
        stored = packed(columns)
        assert all(isinstance(column, torch.Tensor) for column in stored.values())
        found = unpacked(stored)
        assert found.keys() == columns.keys()
        assert all(map(same_objects, found["objects"], objects))


def test_columns_without_objects_stay_as_they_are() -> None:
    columns = {"label": torch.tensor([1, 2])}
    assert packed(columns) == columns == unpacked(columns)


def test_the_size_counts_every_part() -> None:
    assert size_of(MASKED) == 2 * 4 * 4 + 2 * 8 + 2 * 8 * 9
    assert size_of(5) == 8
