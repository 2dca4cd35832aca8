"""Several digits on a canvas: boxes and masks of what is in sight, split and seed as with one digit."""

import pytest
import torch

from vggexp.boxes import to_pixels
from vggexp.data.digits import Digits
from vggexp.errors import ConfigError
from vggexp.types import Objects

NEEDS = frozenset({"label", "box", "mask", "objects", "object_masks"})


@pytest.fixture(scope="module")
def digits() -> Digits:
    return Digits(objects=[1, 5])


def shown(digits: Digits) -> list[Objects]:
    split = digits.split("val", NEEDS)
    return [split[place]["objects"] for place in range(len(split))]  # type: ignore[arg-type, misc]


def test_each_canvas_has_one_to_five_of_very_different_sizes(digits: Digits) -> None:
    found = shown(digits)
    counts = torch.tensor([len(one) for one in found]).bincount(minlength=6)
    assert counts[0] == 0
    assert (counts[1:] > 30).all()
    sides = torch.cat([(one.boxes[:, 2:] - one.boxes[:, :2]).amax(1) for one in found])
    assert sides.min() < 16
    assert sides.max() > 45


def test_boxes_enclose_what_is_in_sight_and_no_pixel_is_of_two(digits: Digits) -> None:
    overlapping = 0
    for one in shown(digits):
        assert one.masks is not None
        assert one.masks.sum(0).max() == 1
        for mask, box in zip(one.masks, one.boxes.int().tolist(), strict=True):
            rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
            assert box == [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]
        left, right = one.boxes[:, None], one.boxes[None]
        shared = (torch.minimum(left, right)[..., 2:] - torch.maximum(left, right)[..., :2]).clamp(min=0).prod(2)
        overlapping += int((shared.fill_diagonal_(0) > 0).any())
    assert 30 < overlapping < 200


def test_label_box_and_mask_agree_with_the_objects(digits: Digits) -> None:
    split = digits.split("val", NEEDS)
    for place in range(0, 300, 7):
        sample = split[place]
        objects: Objects = sample["objects"]  # type: ignore[assignment]
        areas = (objects.boxes[:, 2:] - objects.boxes[:, :2]).prod(1)
        largest = int(areas.argmax())
        assert int(sample["label"]) == int(objects.labels[largest])
        torch.testing.assert_close(to_pixels(sample["box"], (64, 64)), objects.boxes[largest])
        assert objects.masks is not None
        assert torch.equal((objects.masks * (objects.labels + 1)[:, None, None]).sum(0), sample["mask"].long())


def test_a_canvas_is_always_the_same_and_masks_only_come_if_asked_for(digits: Digits) -> None:
    first, again = digits.split("val", NEEDS)[3], Digits(objects=[1, 5]).split("val", NEEDS)[3]
    assert torch.equal(first["image"], again["image"])
    assert torch.equal(first["objects"].boxes, again["objects"].boxes)  # type: ignore[attr-defined]
    bare = digits.split("val", frozenset({"objects"}))[3]
    assert bare.keys() == {"image", "index", "objects"}
    assert bare["objects"].masks is None  # type: ignore[attr-defined]


def test_without_objects_the_one_digit_is_the_one_object() -> None:
    plain = Digits()
    sample = plain.split("val", NEEDS)[5]
    objects: Objects = sample["objects"]  # type: ignore[assignment]
    assert objects.labels.tolist() == [int(sample["label"])]
    torch.testing.assert_close(objects.boxes[0], to_pixels(sample["box"], (64, 64)))
    assert objects.masks is not None
    assert torch.equal(objects.masks[0].bool(), sample["mask"] > 0)


@pytest.mark.parametrize("objects", [[5, 1], [0, 3], [3], [1, 100]])
def test_numbers_that_cannot_be(objects: list[int]) -> None:
    with pytest.raises(ConfigError, match=r"data\.objects=.* must be \[least, most\] digits a canvas, from 1 to 20"):
        Digits(objects=objects)
