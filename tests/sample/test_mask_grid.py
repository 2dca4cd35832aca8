"""Masks on another grid: each pixel takes the label under its centre, and the whole stays where it was."""

import pytest
import torch

from vggexp.sample.mask_grid import cells_under, stretch

SIZES = [(50, 70), (9, 13), (32, 32), (16, 96), (24, 31)]


@pytest.mark.parametrize("size", SIZES)
def test_it_is_torchs_nearest_exact_but_between_two_pixels(size: tuple[int, int]) -> None:
    mask = torch.randint(0, 255, (3, 32, 48), dtype=torch.uint8)
    found = stretch(mask, size)
    expected = torch.nn.functional.interpolate(mask[None], size, mode="nearest-exact")[0]
    clear = [
        (torch.arange(count) + 0.5) * cells / count % 1 != 0 for count, cells in zip(size, mask.shape[1:], strict=True)
    ]
    assert torch.cat(clear).sum() > 8
    assert torch.equal(found[:, clear[0]][:, :, clear[1]], expected[:, clear[0]][:, :, clear[1]])
    assert found.is_contiguous()


@pytest.mark.parametrize(("count", "cells"), [(32, 64), (60, 240), (96, 32), (224, 375), (36, 24), (60, 80)])
def test_no_scale_moves_the_whole(count: int, cells: int) -> None:
    """Where a centre lies between two pixels, one of them always would move it by up to a quarter of a pixel."""
    centres = (torch.arange(count) + 0.5) * cells / count
    offset = torch.from_numpy(cells_under(count, cells)) + 0.5 - centres
    assert offset.abs().max() <= 0.5
    assert abs(float(offset.mean())) * min(1, count / cells) < 0.02
