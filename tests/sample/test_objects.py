"""Objects move as one box and one mask would, to the pixel; what a crop leaves of them decides whether they stay."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.ops import box_iou

from vggexp.boxes import to_edges
from vggexp.deploy.predict.view import View
from vggexp.errors import ConfigError, DataError
from vggexp.sample import transform as module
from vggexp.sample.object_code import decode, encode
from vggexp.sample.planes import masks_to_edges, packed
from vggexp.sample.transform import Transform
from vggexp.types import VOID, Objects

HEIGHT, WIDTH = 90, 120
IMAGE = torch.zeros(3, HEIGHT, WIDTH, dtype=torch.uint8)


def scene(boxes: list[list[int]], **flags: list[bool]) -> Objects:
    """Objects that fill their boxes, but for a corner."""
    masks = torch.zeros(len(boxes), HEIGHT, WIDTH, dtype=torch.uint8)
    for mask, (left, top, right, bottom) in zip(masks, boxes, strict=True):
        mask[top:bottom, left:right] = 1
        mask[top, left] = 0
    edges = torch.tensor(boxes, dtype=torch.float32).view(-1, 4)
    return Objects(edges, torch.arange(len(boxes)), masks, **{key: torch.tensor(each) for key, each in flags.items()})


def step(name: str, **arguments: Any) -> dict[str, Any]:
    return {name: arguments}


RECIPES = {
    "none": [],
    "squash": [step("Fit", size=[50, 61])],
    "letterbox": [step("Fit", size=[50, 61], mode="letterbox")],
    "crop": [step("Fit", size=[50, 61], mode="crop")],
    "part": [step("Fit", size=[50, 61], mode="letterbox", scale=[0.5, 1.0])],
    "drawn": [step("RandomResizedCrop", size=[40, 40], scale=[0.4, 1.0]), "RandomHorizontalFlip"],
    "turned": [step("RandomAffine", degrees=25, translate=[0.2, 0.2], scale=[0.7, 1.2], shear=8)],
    "expanded": [step("RandomRotation", degrees=40, expand=True), "RandomVerticalFlip"],
    "colours": [step("ColorJitter", brightness=0.4, contrast=0.4, saturation=0.4), "RandomHorizontalFlip"],
    "trivial": [step("Fit", size=[50, 61]), step("TrivialAugmentWide", interpolation="bilinear")],
    "out": [step("RandomZoomOut", side_range=[1.0, 2.0]), step("Resize", size=[70, 70])],
}


@st.composite
def boxes(draw: st.DrawFn) -> list[list[int]]:
    count = draw(st.integers(0, 5))
    found = []
    for _ in range(count):
        left, top = draw(st.integers(0, WIDTH - 12)), draw(st.integers(0, HEIGHT - 12))
        found.append([left, top, draw(st.integers(left + 10, WIDTH)), draw(st.integers(top + 10, HEIGHT))])
    return found


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(boxes(), st.sampled_from(sorted(RECIPES)), st.integers(0, 2**31))
def test_each_object_moves_as_its_box_and_its_mask_alone(drawn: list[list[int]], name: str, seed: int) -> None:
    """``test_together`` shows for those that they lie where the image is, to 0.05 pixels."""
    objects, transform = scene(drawn), Transform(RECIPES[name])
    torch.manual_seed(seed)
    found = transform(IMAGE, index=0, objects=objects)["objects"]
    size = found.masks.shape[1:]
    sides, kept = torch.tensor([size[1], size[0]] * 2), dict(zip(found.labels.tolist(), range(len(found)), strict=True))
    for label, (edges, mask) in enumerate(zip(objects.boxes, objects.masks, strict=True)):
        torch.manual_seed(seed)
        try:
            alone = transform(IMAGE, index=0, box=edges, mask=mask)
        except ConfigError:
            assert label not in kept
            continue
        if label in kept:
            box, extent = to_edges(alone["box"]) * sides, masks_to_edges((alone["mask"] == 1).byte()[None])[0]
            if float(box_iou(box[None], extent[None])) < 0.5 and float((box[2:] - box[:2]).min()) >= 4:
                box = extent  # a slanted object fills little of its box
            torch.testing.assert_close(found.boxes[kept[label]], box, rtol=0, atol=1e-3)
            assert torch.equal(found.masks[kept[label]], (alone["mask"] == 1).byte())


@pytest.mark.parametrize(
    ("right", "crowd", "stays"),
    [(40, False, True), (26, False, True), (25, False, False), (21, True, True), (20, True, False)],
)
def test_what_a_crop_leaves_of_an_object_decides(right: int, crowd: bool, stays: bool) -> None:
    """The crop keeps the columns from 20 on; the object is 20 wide, and 0.3 of that are 6."""
    objects = scene([[right - 20, 10, right, 30], [60, 10, 80, 30]], crowd=[crowd, False])
    found = Transform([step("CenterCrop", size=[HEIGHT, WIDTH - 40])])(IMAGE, index=0, objects=objects)["objects"]
    assert (0 in found.labels.tolist()) == stays
    if stays:
        assert found.boxes[0].tolist() == [max(right - 40, 0), 10, right - 20, 30]
        assert int(found.masks[0].sum()) == int(objects.masks[0][:, 20:].sum())


def test_a_draw_that_loses_every_object_is_drawn_again() -> None:
    objects = scene([[0, 0, 10, 10]])
    transform = Transform([step("RandomCrop", size=[30, 40])], [step("Resize", size=[30, 40])])
    torch.manual_seed(0)
    assert all(len(transform(IMAGE, index=0, objects=objects)["objects"]) == 1 for _ in range(20))
    nothing = transform(IMAGE, index=0, objects=scene([]))["objects"]
    assert nothing.boxes.shape == (0, 4)
    assert nothing.masks.shape == (0, 30, 40)


def test_an_object_without_a_pixel_is_difficult() -> None:
    objects = scene([[0, 0, 2, 1], [30, 30, 60, 60]])
    recipe = [step("Resize", size=[9, 12])]
    for transform in (Transform(recipe), Transform(recipe, recipe)):
        assert transform(IMAGE, index=0, objects=objects)["objects"].difficult.tolist() == [True, False]


def test_a_box_becomes_what_a_crop_leaves_of_a_slanted_mask() -> None:
    mask = torch.eye(90, 120, dtype=torch.uint8)[None]
    objects = Objects(torch.tensor([[0.0, 0, 90, 90]]), torch.tensor([0]), mask)
    found = Transform([step("CenterCrop", size=[90, 40])])(IMAGE, index=0, objects=objects)["objects"]
    assert found.boxes.tolist() == [[0, 40, 40, 80]]


def test_the_crop_of_ssd_keeps_objects_whose_centre_is_in_it() -> None:
    objects = scene([[0, 0, 60, 60], [70, 40, 110, 80], [5, 70, 30, 88]])
    transform = Transform(["RandomIoUCrop", step("Resize", size=[50, 50])], [step("Resize", size=[50, 50])])
    torch.manual_seed(0)
    counts = [len(transform(IMAGE, index=0, objects=objects)["objects"]) for _ in range(40)]
    assert {1, 3} <= set(counts)
    assert 0 not in counts


def test_a_step_that_removes_boxes_is_refused_in_a_line() -> None:
    recipe = [step("SanitizeBoundingBoxes", labels_getter=None, min_size=30)]
    with pytest.raises(ConfigError, match=r"^[^\n]*a step removes boxes; leave out SanitizeBoundingBoxes[^\n]*$"):
        Transform(recipe)(IMAGE, index=0, objects=scene([[0, 0, 60, 60], [70, 40, 80, 50]]))


def test_masks_that_need_too_much_memory_are_told_with_what_to_lower(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MASKS", 2 * HEIGHT * WIDTH)
    with pytest.raises(
        DataError,
        match=r"^sample 7 has 3 objects, whose masks at 90 x 120 .*lower data\.image_size.* more than 2 objects$",
    ):
        Transform([])(IMAGE, index=7, objects=scene([[0, 0, 20, 20]] * 3))


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(boxes(), st.sampled_from(["none", "squash", "letterbox"]))
def test_what_is_found_lies_there_on_the_photo(drawn: list[list[int]], name: str) -> None:
    """Under 0.05 pixels of the network's image; masks to the pixels that the network saw."""
    view = View(RECIPES[name], (50, 61))
    window = view(IMAGE)[1]
    objects = scene(drawn)
    shown = Transform([*RECIPES[name], step("Resize", size=[50, 61])])(IMAGE, index=0, objects=objects)["objects"]
    back = window.lay_back({"objects": shown}, (HEIGHT, WIDTH))["objects"]
    assert isinstance(back, Objects)
    scale = min(50 / HEIGHT, 61 / WIDTH)
    torch.testing.assert_close(back.boxes * scale, objects.boxes * scale, rtol=0, atol=0.05)
    for mask, true in zip(back.masks, objects.masks, strict=True):
        differ = (mask != true).nonzero()
        # A pixel of the network is about two of the photo: only the rim differs.
        inner = -torch.nn.functional.max_pool2d(-true[None].float(), 5, 1, 2)[0]
        outer = torch.nn.functional.max_pool2d(true[None].float(), 5, 1, 2)[0]
        assert bool((mask >= inner).all() and (mask <= outer).all()), differ
    assert VOID not in back.masks.unique().tolist()


@pytest.mark.parametrize("flags", [{}, {"crowd": [True, False], "difficult": [False, True]}])
def test_the_code_of_a_cache_gives_back_the_objects(flags: dict[str, list[bool]]) -> None:
    objects = scene([[0, 0, 60, 60], [70, 40, 80, 50]], **flags)
    bare = Objects(objects.boxes + 0.1, objects.labels, None, objects.crowd, objects.difficult)
    planes = packed((mask.numpy() > 0 for mask in objects.masks), (HEIGHT, WIDTH), "")
    for masks in (None, planes):
        found, other = decode(encode(bare, masks))
        same(found, bare)
        assert (other is None) == (masks is None)
        if other is not None:
            assert torch.equal(other.masks(), objects.masks)


def same(one: Objects, other: Objects) -> None:
    for key, part in vars(one).items():
        wanted: Tensor | None = getattr(other, key)
        assert (part is None) == (wanted is None), key
        assert part is None or (part.dtype == wanted.dtype and torch.equal(part, wanted)), key
