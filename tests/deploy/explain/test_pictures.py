"""Where heat and fields lie on a photo that the network saw cropped or padded."""

import numpy as np
import pytest
import torch

from vggexp.deploy.explain.pictures import filters_grid, heat_over, lay_over, maps_grid
from vggexp.deploy.predict.view import Window


def test_heat_of_a_padded_photo_is_that_of_the_part_of_the_image_where_it_lies() -> None:
    """The photo is the right half of the network's image, so its pixels' centres are at 0.53 to 0.97 of the heat."""
    heat = torch.tensor([[9.0, 9.0, 0.0, 1.0]])
    laid = lay_over(heat.expand(4, 4), Window(0.5, 0.0, 1.0, 1.0), (4, 8))
    assert laid.shape == (4, 8)
    centres = 0.5 + (np.arange(8) + 0.5) / 16
    expected = np.interp(centres * 4 - 0.5, np.arange(4), heat[0].numpy())
    assert laid[2].numpy() == pytest.approx(expected)


def test_a_cropped_photos_rim_has_no_heat() -> None:
    laid = lay_over(torch.ones(2, 2), Window(-0.5, 0.0, 1.5, 1.0), (2, 8))
    assert laid[0].tolist() == [0, 0, 1, 1, 1, 1, 0, 0]


def test_no_heat_leaves_the_photo_as_it_is() -> None:
    photo = torch.randint(0, 256, (3, 6, 6), dtype=torch.uint8)
    whole = Window(0.0, 0.0, 1.0, 1.0)
    assert torch.equal(heat_over(photo, torch.zeros(2, 2), whole), photo)
    assert not torch.equal(heat_over(photo, torch.ones(2, 2), whole), photo)


def test_grids_hold_as_many_maps_and_filters_as_asked() -> None:
    assert maps_grid(torch.rand(9, 32, 32), 4).shape == (3, 64, 4 * 64 + 3 * 4)
    assert filters_grid(torch.randn(9, 3, 3, 3), 2).shape[0] == 3
    gray = filters_grid(torch.randn(9, 5, 3, 3), 4)
    assert torch.equal(gray[0], gray[1])
