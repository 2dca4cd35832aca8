"""What the network sees of a photo, and the way back."""

from typing import Any

import pytest
import torch

from vggexp.deploy.predict.view import View, Window
from vggexp.errors import ConfigError, DataError
from vggexp.sample.mask_grid import stretch
from vggexp.types import VOID

SIZE = (32, 32)
CROP = [{"Resize": {"size": 32}}, {"CenterCrop": {"size": 32}}]


def window(recipe: list[Any], height: int, width: int) -> Window:
    seen, found = View(recipe, SIZE)(torch.zeros(3, height, width, dtype=torch.uint8))
    assert seen.shape == (3, *SIZE)
    assert seen.dtype == torch.uint8
    return found


@pytest.mark.parametrize("recipe", [[{"Resize": {"size": [32, 32]}}], []])
def test_what_is_squashed_covers_the_view(recipe: list[Any]) -> None:
    assert window(recipe, 50, 70) == Window(0, 0, 1, 1, seen=(32, 32))


def test_what_is_cropped_reaches_beyond_the_view() -> None:
    # 64 x 128 becomes 32 x 64, of which the middle 32 columns stay: the photo begins half a view before.
    assert window(CROP, 64, 128) == Window(-0.5, 0, 1.5, 1, seen=(32, 32))


def test_what_is_padded_ends_within_the_view() -> None:
    recipe = [{"Resize": {"size": [16, 32]}}, {"Pad": {"padding": [0, 4, 0, 12]}}]
    assert window(recipe, 64, 128) == Window(0, 0.125, 1, 0.625, seen=(32, 32))


def test_a_box_and_a_mask_are_laid_back_on_a_cropped_photo() -> None:
    seen = {"box": torch.tensor([0.25, 0.5, 0.5, 0.5]), "mask": torch.ones(32, 32, dtype=torch.uint8)}
    laid = window(CROP, 64, 128).lay_back(seen, (64, 128))
    # x: half a view was cut off, and the photo is two views wide: (0.25 + 0.5) / 2.
    assert laid["box"].tolist() == pytest.approx([0.375, 0.5, 0.5, 0.25])
    assert (laid["mask"][:, :32] == VOID).all()
    assert (laid["mask"][:, 32:96] == 1).all()
    assert (laid["mask"][:, 96:] == VOID).all()


def test_a_mask_of_a_padded_photo_loses_the_padding() -> None:
    recipe = [{"Resize": {"size": [16, 32]}}, {"Pad": {"padding": [0, 4, 0, 12]}}]
    mask = torch.full((32, 32), 7, dtype=torch.uint8)
    mask[4:20] = torch.arange(16, dtype=torch.uint8)[:, None]
    laid = window(recipe, 16, 32).lay_back({"mask": mask}, (16, 32))["mask"]
    assert torch.equal(laid, torch.arange(16, dtype=torch.uint8)[:, None].expand(16, 32))


@pytest.mark.parametrize("size", [(50, 70), (9, 13), (32, 32)])
def test_a_mask_is_stretched_as_for_training(size: tuple[int, int]) -> None:
    mask = torch.randint(0, 5, (32, 32), dtype=torch.uint8)
    assert torch.equal(Window(0, 0, 1, 1).lay_back({"mask": mask}, size)["mask"], stretch(mask, size))


def test_what_was_drawn_where_the_box_is_lies_there_on_the_photo() -> None:
    """A white rectangle is found by its pixels in the view; its edges there must lead back to the photo's."""
    photo = torch.zeros(3, 400, 600, dtype=torch.uint8)
    photo[:, 100:300, 250:400] = 255
    seen, found = View([{"Resize": {"size": 320}}, {"CenterCrop": {"size": 320}}], (320, 320))(photo)
    rows, columns = (seen[0] > 127).any(1).nonzero(), (seen[0] > 127).any(0).nonzero()
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    box = torch.stack([left, top, bottom - top, right - left]).float() / 320
    laid = found.lay_back({"box": box}, (400, 600))["box"] * torch.tensor([600, 400, 400, 600])
    assert laid.tolist() == pytest.approx([250, 100, 200, 150], abs=1.3)  # one pixel of the view is 1.25 of the photo


@pytest.mark.parametrize(
    "step",
    [{"RandomHorizontalFlip": {"p": 1.0}}, {"RandomVerticalFlip": {"p": 1.0}}, {"RandomRotation": {"degrees": [9, 9]}}],
)
def test_what_is_turned_or_flipped_cannot_be_laid_back(step: dict[str, Any]) -> None:
    found = window([step], 50, 70)
    with pytest.raises(ConfigError, match=r"data\.eval_transform rotates or flips"):
        found.lay_back({"box": torch.zeros(4)}, (50, 70))
    assert found.lay_back({"label": torch.tensor(3)}, (50, 70)) == {"label": torch.tensor(3)}


def test_a_photo_that_the_recipe_does_not_take_is_named_a_data_error() -> None:
    with pytest.raises(DataError, match="fails on an image of 20 x 10 pixels"):
        View([{"RandomCrop": {"size": 32}}], SIZE)(torch.zeros(3, 10, 20, dtype=torch.uint8))
