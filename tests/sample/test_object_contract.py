"""Each fault of an object is one line that names its sample, its number, and what would be right."""

import re
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from vggexp.errors import DataError
from vggexp.sample.contract import Contract
from vggexp.sample.data_contract import check_truth
from vggexp.sample.loader import collate
from vggexp.types import DataInfo, ObjectList, Objects

SIZE = (32, 48)
EDGES = torch.tensor([[4.0, 4, 24, 24], [30.0, 8, 44, 30]])
LABELS = torch.tensor([0, 1])
NONE = torch.zeros(2, dtype=torch.bool)


def masks(edges: Tensor = EDGES) -> Tensor:
    found = torch.zeros(len(edges), *SIZE, dtype=torch.uint8)
    for mask, (left, top, right, bottom) in zip(found, edges.int().tolist(), strict=True):
        mask[top:bottom, left:right] = 1
    return found


GOOD = Objects(EDGES, LABELS, masks())


def edges(*box: float) -> Tensor:
    return torch.stack((EDGES[0], torch.tensor(box)))


def contract(with_masks: bool = True) -> Contract:
    needs = {"objects", "object_masks"} if with_masks else {"objects"}
    return Contract("train", DataInfo(("cat", "dog"), ()), frozenset(needs))


def sample(objects: Any, index: int = 0) -> Any:
    return {"image": torch.zeros(3, *SIZE, dtype=torch.uint8), "index": index, "objects": objects}


FAULTS: dict[str, tuple[Any, str]] = {
    "corner and size": (
        replace(GOOD, boxes=edges(30, 8, 14, 22)),
        "read as (left, top, right, bottom), it ends before",
    ),
    "no area": (replace(GOOD, boxes=edges(30, 8, 30, 22)), "box (30, 8, 30, 22): it has no area"),
    "NaN": (replace(GOOD, boxes=edges(30, 8, torch.nan, 22)), "four finite numbers"),
    "outside": (replace(GOOD, boxes=edges(30, 8, 49, 30)), "it reaches outside the image of 32 x 48 pixels"),
    "label from 1": (replace(GOOD, labels=LABELS + 1), "label 2, box (30, 8, 44, 30): the data set names 2 classes"),
    "label -1": (replace(GOOD, labels=LABELS - 1), "object 0 of sample 0 of train, label -1"),
    "empty mask": (replace(GOOD, masks=masks() * torch.tensor([1, 0])[:, None, None].byte()), "its mask is empty"),
    "swapped masks": (replace(GOOD, masks=masks().flip(0)), "its mask lies elsewhere"),
    "mask of 255": (replace(GOOD, masks=masks() * 255), "its mask holds numbers above 1"),
    "another size": (replace(GOOD, masks=masks()[:, :16]), "has the shape (2, 16, 48); for 2 boxes it must be (2, 32"),
    "no masks": (replace(GOOD, masks=None), "objects of sample 0 of train has no masks"),
    "a label each": (replace(GOOD, labels=LABELS[:1]), "objects.labels of sample 0 of train has the shape (1,)"),
    "float labels": (replace(GOOD, labels=LABELS.float()), "is float32; it must be int64 (K,)"),
    "double boxes": (replace(GOOD, boxes=EDGES.double()), "is float64; it must be float32 (K, 4)"),
    "crowd as numbers": (replace(GOOD, crowd=LABELS), "objects.crowd of sample 0 of train is int64; it must be bool"),
    "a list": ([EDGES], "objects of sample 0 of train is a list"),
    "shares": (Objects(EDGES / 48, LABELS), "these look like shares of the image"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_one_line(fault: str) -> None:
    objects, message = FAULTS[fault]
    with pytest.raises(DataError, match=re.escape(message)) as found:
        contract(with_masks=fault != "shares")([sample(objects)])
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("objects", [GOOD, GOOD[:0], replace(GOOD, crowd=NONE, difficult=~NONE)], ids=len)
def test_what_is_right_goes_through(objects: Objects) -> None:
    batch = contract()([sample(objects), sample(GOOD, 1)])
    assert isinstance(batch["objects"], ObjectList)
    assert [len(one) for one in batch["objects"]] == [len(objects), 2]


def test_a_difficult_object_may_have_no_pixel() -> None:
    """As one that a resize has made too small to be seen."""
    none = masks() * torch.tensor([1, 0])[:, None, None].byte()
    contract()([sample(replace(GOOD, masks=none, difficult=torch.tensor([False, True])))])


def test_samples_with_and_without_objects_are_no_batch() -> None:
    bare = {key: value for key, value in sample(GOOD, 1).items() if key != "objects"}
    with pytest.raises(DataError, match="sample 1 of train has no 'objects'"):
        contract().together([sample(GOOD), bare])
    assert [len(one) for one in collate([sample(GOOD), sample(GOOD[:0], 1)])["objects"]] == [2, 0]


@pytest.mark.parametrize("objects", [GOOD[:0], replace(GOOD, crowd=~NONE), replace(GOOD, difficult=~NONE)])
def test_a_split_without_an_object_to_find_is_refused(objects: Objects) -> None:
    split = [sample(objects, place) for place in range(3)]
    with pytest.raises(DataError, match="no image of train shows an object that is to be found"):
        check_truth(contract(), split)
    check_truth(contract(), [*split, sample(GOOD, 3)])


def test_rows_of_objects_and_of_lists() -> None:
    listed = ObjectList([GOOD, GOOD[:0], GOOD[1:]])
    assert isinstance(listed[1:], ObjectList)
    assert [len(one) for one in listed[[2, 0]]] == [1, 2]
    assert len(listed[torch.tensor([1, 0])]) == 2
    assert len(listed[0]) == 2
    assert GOOD[torch.tensor([False, True])].labels.tolist() == [1]
    moved = listed.to("meta")
    assert isinstance(moved, ObjectList)
    assert moved[0].boxes.is_meta
    assert replace(GOOD, crowd=torch.tensor([True, False])).counted().tolist() == [False, True]
