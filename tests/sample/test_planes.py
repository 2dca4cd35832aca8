import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vggexp.errors import DataError
from vggexp.sample import planes as module
from vggexp.sample.planes import packed

SIZE = (9, 11)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 10), st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_the_masks_come_out_as_they_went_in(parts: list[tuple[int, int, int, int]]) -> None:
    masks = np.zeros((len(parts), *SIZE), bool)
    for mask, (top, left, rows, columns) in zip(masks, parts, strict=True):
        mask[top : top + rows, left : left + columns] = True
        mask[top : top + 1, left : left + 1] = False  # no rectangle
    found = packed(masks, SIZE, "a.jpg")
    assert torch.equal(found.masks(), torch.from_numpy(masks.astype(np.uint8)))
    assert found.covers().tolist() == masks.any((1, 2)).tolist()
    rows = torch.arange(len(parts)) % 2 == 1
    assert torch.equal(found[rows].masks(), found.masks()[rows])


def test_two_thousand_objects_that_do_not_overlap_need_eight_planes() -> None:
    def masks() -> NDArray[np.bool_]:
        for place in range(2000):
            mask = np.zeros((50, 160), bool)
            mask[place // 80 * 2 : place // 80 * 2 + 2, place % 80 * 2 : place % 80 * 2 + 2] = True
            yield mask

    found = packed(masks(), (50, 160), "a.jpg")
    assert found.pixels.shape == (8, 50, 160)  # 254 a plane
    assert bool((found.masks().sum((1, 2)) == 4).all())


def test_layers_without_end_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT", 3 * 99)
    with pytest.raises(
        DataError, match=r"^a\.jpg has more than 3 objects whose masks overlap in over 3 layers, .*leave"
    ):
        packed(np.ones((5, *SIZE), bool), SIZE, "a.jpg")
