import pytest
import torch
from torch import Tensor

from vggexp.sample.mix.mosaic import Mosaic
from vggexp.types import Batch, ObjectList, Objects

H, W = 24, 32


def one(number: int, count: int, crowd: bool = False) -> tuple[Tensor, Objects]:
    """An image whose colour is its number, with objects that are brighter."""
    image = torch.full((3, H, W), 20 * number, dtype=torch.uint8)
    boxes, masks = torch.zeros(count, 4), torch.zeros(count, H, W, dtype=torch.uint8)
    for place in range(count):
        left, top, right, bottom = 2 + 14 * place, 4, 12 + 14 * place, 16
        boxes[place] = torch.tensor([left, top, right, bottom])
        masks[place, top:bottom, left:right] = 1
        image[:, top:bottom, left:right] = 20 * number + 10
    labels = torch.arange(count) + 10 * number
    return image, Objects(boxes, labels, masks, torch.full((count,), crowd) if count else None)


def batch() -> Batch:
    parts = [one(number, count, number == 1) for number, count in enumerate([2, 1, 0, 2, 2], 1)]
    images = torch.stack([image for image, _ in parts]).contiguous(memory_format=torch.channels_last)
    return {"image": images, "index": torch.arange(5), "objects": ObjectList(each for _, each in parts)}


@pytest.mark.parametrize("least", [0.5, 1.0])
def test_each_object_lies_on_its_own_pixels(least: float) -> None:
    seen = 0
    for seed in range(30):
        ((share, mixed),) = Mosaic(least=least)(batch(), seed)
        assert share == 1
        assert mixed["image"].stride() == batch()["image"].stride()
        for image, objects in zip(mixed["image"], mixed["objects"], strict=True):
            for box, label, mask in zip(objects.boxes, objects.labels.tolist(), objects.masks, strict=True):
                rows, columns = mask.nonzero(as_tuple=True)
                extent = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
                assert (extent - box).abs().max() <= 0.5  # a mask ends at a pixel's edge
                left, top, right, bottom = box.round().int().tolist()
                inner = image[0, top + 1 : bottom - 1, left + 1 : right - 1]
                assert inner.numel() == 0 or inner.float().median() == 20 * (label // 10) + 10
                seen += 1
    assert seen > 100


def test_objects_come_from_four_images_and_nothing_is_invented() -> None:
    found = [
        set((each.labels // 10).tolist()) for seed in range(30) for each in Mosaic()(batch(), seed)[0][1]["objects"]
    ]
    assert max(map(len, found)) == 4
    whole = sum(len(each) for each in found)
    assert whole > 100


def test_a_part_of_less_than_the_kept_share_is_left_out_unless_it_excuses() -> None:
    areas: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(60):
        for each in Mosaic(least=1.0)(batch(), seed)[0][1]["objects"]:  # nothing is scaled
            sides = each.boxes[:, 2:] - each.boxes[:, :2]
            for area, label in zip(sides.prod(1).tolist(), each.labels.tolist(), strict=True):
                areas[label // 10 == 1].append(area / 120)
    assert min(areas[False]) >= 0.3 > min(areas[True])


def test_without_masks_there_are_none_and_a_batch_of_two_is_enough() -> None:
    given = batch()
    given["objects"] = ObjectList(Objects(each.boxes, each.labels) for each in given["objects"])
    assert all(each.masks is None and each.crowd is None for each in Mosaic()(given, 0)[0][1]["objects"])
    two: Batch = {"image": given["image"][:2], "index": torch.arange(2), "objects": given["objects"][:2]}
    assert len(Mosaic()(two, 0)[0][1]["objects"]) == 2


@pytest.mark.parametrize(("key", "value"), [("probability", 2), ("least", 0.2)])
def test_an_argument_that_cannot_be_is_named(key: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"mix.{key}={value} is not a number from"):
        Mosaic(**{key: value})
