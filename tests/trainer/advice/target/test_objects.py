"""The regions that are probed for detection."""

import torch
from torchvision.ops import box_iou

from vggexp.trainer.advice.target.objects import APART, REGIONS, Regions, regions
from vggexp.types import Batch, ObjectList, Objects

SIZE = (64, 96)


def objects(*boxes: tuple[float, float, float, float], **more: torch.Tensor) -> Objects:
    return Objects(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), torch.arange(len(boxes)), **more)


def test_regions_are_objects_and_as_many_places_apart_from_all_of_them() -> None:
    own = objects((4, 4, 20, 24), (40, 8, 60, 30), (70, 40, 80, 60))
    boxes, classes = regions(own, 3, SIZE)
    assert sorted(classes.tolist()) == [0, 0, 0, 1, 2, 3]
    is_object = classes > 0
    torch.testing.assert_close(boxes[is_object], own.boxes[classes[is_object] - 1])
    background = boxes[~is_object]
    assert (box_iou(background, own.boxes) < APART).all()
    assert (background[:, :2] >= 0).all()
    assert (background[:, 2:] <= torch.tensor([96, 64])).all()
    sides = (background[:, 2:] - background[:, :2]).round().tolist()
    assert all(side in [[16, 20], [20, 22], [10, 20]] for side in sides)
    again, same = regions(own, 3, SIZE)
    assert torch.equal(boxes, again)
    assert torch.equal(classes, same)
    assert not torch.equal(boxes, regions(own, 4, SIZE)[0])


def test_of_many_objects_some_are_drawn() -> None:
    many = objects(*[(8.0 * place, 0, 8.0 * place + 6, 6) for place in range(12)])
    _, classes = regions(many, 0, SIZE)
    assert int((classes > 0).sum()) == REGIONS
    assert int((classes == 0).sum()) == REGIONS


def test_crowds_and_difficult_objects_are_neither_object_nor_background() -> None:
    crowd = torch.tensor([False, True])
    own = objects((0, 0, 10, 10), (0, 12, 96, 64), crowd=crowd)
    boxes, classes = regions(own, 0, SIZE)
    assert classes[classes > 0].tolist() == [1]
    assert (box_iou(boxes[classes == 0], own.boxes) < APART).all()
    difficult = objects((0, 0, 10, 10), (0, 12, 96, 64), difficult=crowd)
    assert regions(difficult, 0, SIZE)[1].tolist() == classes.tolist()


def test_an_image_without_objects_or_without_room_gives_fewer_regions() -> None:
    boxes, classes = regions(objects(), 0, SIZE)
    assert boxes.shape == (0, 4)
    assert classes.shape == (0,)
    assert regions(objects((0, 0, 96, 64)), 0, SIZE)[1].tolist() == [1]


def test_a_row_is_the_mean_over_the_region_of_the_stage_and_all_before() -> None:
    """On a map that is constant within the region, and of another value outside it."""
    fine, coarse = torch.zeros(2, 1, 32, 48), torch.zeros(2, 1, 16, 24)
    fine[0, :, 4:12, 8:16], coarse[0, :, 2:6, 4:8] = 5.0, 7.0  # the box below, at strides 2 and 4
    own = objects((16, 8, 32, 24))
    batch: Batch = {"image": torch.zeros(2, 3, *SIZE, dtype=torch.uint8), "index": torch.tensor([0, 5]),
                    "objects": ObjectList([own, objects()])}  # fmt: skip
    found = Regions().rows((fine, coarse), batch)
    assert found.targets[0] == 1
    assert found.stages[0][0].tolist() == [5.0]
    assert found.stages[1][0].tolist() == [5.0, 7.0]
    assert set(found.images.tolist()) == {0}
    assert len(found.stages[1]) == len(found.targets) == len(found.images)
