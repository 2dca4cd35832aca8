from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from vggexp.task import drawing
from vggexp.types import VOID, Objects


def blank(height: int = 60, width: int = 80, value: int = 200) -> Tensor:
    return torch.full((3, height, width), value, dtype=torch.uint8)


def is_image(image: Tensor) -> bool:
    return image.dtype == torch.uint8 and image.ndim == 3 and len(image) == 3


def test_upscale_repeats_pixels() -> None:
    image = torch.arange(12, dtype=torch.uint8).view(3, 2, 2)
    large = drawing.upscale(image, 3)
    assert large.shape == (3, 6, 6)
    assert torch.equal(large[:, ::3, ::3], image)
    assert torch.equal(large[:, 2::3, 2::3], image)


@pytest.mark.parametrize(("side", "expected"), [(16, 192), (64, 192), (100, 200), (192, 192), (300, 300)])
def test_legible_only_ever_enlarges(side: int, expected: int) -> None:
    assert drawing.legible(blank(side, side + 20)).shape[1] == expected


def test_box_is_drawn_where_it_is() -> None:
    """x, y, h, w: a box 12 pixels high and 48 wide at (16, 30)."""
    image = blank()
    color = (0, 114, 178)
    drawn = drawing.draw_box(image, torch.tensor([0.2, 0.5, 0.2, 0.6]), color)
    assert torch.equal(image, blank())
    assert is_image(drawn)
    rows, columns = (drawn == torch.tensor(color)[:, None, None]).all(0).nonzero(as_tuple=True)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (30, 41, 16, 63)
    assert torch.equal(drawn[:, 34:38, 22:58], image[:, 34:38, 22:58])


@pytest.mark.parametrize(
    "box", [[0.9, -0.5, 0.8, 5.0], [0.5, 0.5, 0.0, 0.0], [0.5, 0.5, -0.3, -0.1], [float("nan"), 0.0, float("inf"), 1.0]]
)
def test_any_box_can_be_drawn(box: list[float]) -> None:
    """An untrained network's, too."""
    assert drawing.draw_box(blank(), torch.tensor(box), label="7").shape == (3, 60, 80)


def test_label_is_written() -> None:
    box = torch.tensor([0.1, 0.1, 0.8, 0.8])
    assert not torch.equal(drawing.draw_box(blank(), box, label="cat"), drawing.draw_box(blank(), box))


def test_mask_is_blended() -> None:
    mask = torch.tensor([[0, 1], [2, VOID]], dtype=torch.uint8)
    blended = drawing.blend_mask(blank(2, 2, 100), mask, num_classes=3, alpha=0.25)
    colors = torch.cat((drawing.palette(3), torch.tensor([[128, 128, 128]]))).double()
    expected = (75 + 0.25 * colors).round().T.view(3, 2, 2)
    assert torch.equal(blended.double(), expected)
    assert torch.equal(drawing.blend_mask(blank(2, 2), mask, 3, alpha=0.0), blank(2, 2))


def test_mask_is_stretched_to_the_image() -> None:
    mask = torch.tensor([[0, 1]], dtype=torch.uint8)
    blended = drawing.blend_mask(blank(4, 6), mask, 2, alpha=1.0)
    colors = drawing.palette(2)
    assert torch.equal(blended[:, :, :3], colors[0][:, None, None].expand(3, 4, 3))
    assert torch.equal(blended[:, :, 3:], colors[1][:, None, None].expand(3, 4, 3))


def test_palette_tells_classes_apart() -> None:
    colors = drawing.palette(24).int()
    away = (colors[:, None] - colors[None]).abs().sum(-1) + 1000 * torch.eye(24)
    assert away.min() > 30
    assert ((colors - 128).abs().sum(1) > 30).all()  # nor like VOID
    assert drawing.palette(200).shape == (200, 3)


def test_caption_adds_a_strip_and_leaves_the_image() -> None:
    image = blank(value=90)
    short, long = drawing.caption(image, "cat"), drawing.caption(image, "a caption that does not fit one line " * 3)
    for picture in (short, long):
        assert is_image(picture)
        assert picture.shape[2] == 80
        assert torch.equal(picture[:, :60], image)
        assert (picture[:, 60:] < 100).any()
    assert 60 < short.shape[1] < long.shape[1]


def test_empty_caption_is_a_blank_strip() -> None:
    assert (drawing.caption(blank(), "")[:, 60:] == 255).all()


def test_grid_places_row_by_row() -> None:
    images = [blank(4, 6, value) for value in (10, 20, 30)]
    sheet = drawing.grid(images, columns=2, gap=1)
    assert sheet.shape == (3, 9, 13)
    assert sheet[0, ::5, ::7].tolist() == [[10, 20], [30, 255]]
    assert (sheet[:, 4] == 255).all()


def test_grid_takes_unequal_sizes_and_few_images() -> None:
    assert drawing.grid([blank(4, 9), blank(7, 3)], columns=5, gap=2).shape == (3, 7, 20)
    with pytest.raises(ValueError, match="no images"):
        drawing.grid([], columns=2)


def test_pair_is_left_and_right() -> None:
    sheet = drawing.pair(blank(4, 4, 1), blank(4, 4, 2))
    assert (sheet[:, :, :4] == 1).all()
    assert (sheet[:, :, -4:] == 2).all()


def test_a_palette_mask_is_read_as_class_numbers_and_seen_in_the_classes_colours(tmp_path: Path) -> None:
    mask = torch.tensor([[0, 1, 2], [20, VOID, 1]], dtype=torch.uint8)
    drawing.save_mask(mask, tmp_path / "mask.png", 21)
    with Image.open(tmp_path / "mask.png") as picture:
        assert picture.mode == "P"
        assert np.array(picture).tolist() == mask.tolist()
        seen = np.array(picture.convert("RGB"))
    assert seen[1, 0].tolist() == drawing.palette(21)[20].tolist()
    assert seen[1, 1].tolist() == [128, 128, 128]


def test_a_long_strip_is_not_blown_up() -> None:
    assert drawing.legible(torch.zeros(3, 40, 60, dtype=torch.uint8)).shape == (3, 200, 300)
    assert drawing.legible(torch.zeros(3, 40, 1500, dtype=torch.uint8)).shape == (3, 40, 1500)
    assert drawing.legible(torch.zeros(3, 40, 500, dtype=torch.uint8)).shape == (3, 80, 1000)


def test_objects_are_outlined_in_their_colours_and_tinted_where_their_masks_are() -> None:
    masks = torch.zeros(2, 60, 90, dtype=torch.uint8)
    masks[0, 30:50, 10:30] = 1
    edges = torch.tensor([[10.0, 10, 40, 50], [50.0, 10, 80, 50]])
    objects = Objects(edges, torch.tensor([0, 1]), masks, scores=torch.tensor([0.9, 0.6]))
    drawn = drawing.draw_objects(
        torch.zeros(3, 60, 90, dtype=torch.uint8), objects, ["a", "b"], [(0, 200, 0), (200, 0, 0)]
    )
    assert drawn[:, 45, 10].tolist() == [0, 200, 0]
    assert drawn[:, 45, 50].tolist() == [200, 0, 0]
    assert drawn[:, 40, 20].tolist() == [0, 80, 0]  # 0.4 of the colour
    assert drawn[:, 40, 35].tolist() == drawn[:, 5, 85].tolist() == [0, 0, 0]


def test_objects_of_a_smaller_grid_lie_where_they_lie_on_a_larger_picture() -> None:
    objects = Objects(torch.tensor([[10.0, 10, 40, 50]]), torch.tensor([0]))
    drawn = drawing.draw_objects(torch.zeros(3, 120, 180, dtype=torch.uint8), objects, ["a"], size=(60, 90))
    column = drawn[:, 95, 20]
    assert column.sum() > 0
    assert drawn[:, 60, 50].sum() == 0
