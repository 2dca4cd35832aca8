"""Anchors: torchvision's where it infers the right strides, and right where it does not; memory is bounded."""

import pytest
import torch
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList

from vggexp.head.detection import anchors
from vggexp.head.detection.anchors import PyramidAnchors, bounded, images_of

STRIDES, RATIOS = (4, 8, 16), (0.5, 1.0, 2.0)


def maps(size: tuple[int, int], dtype: torch.dtype = torch.float32) -> list[torch.Tensor]:
    return [torch.zeros(2, 1, size[0] // stride, size[1] // stride, dtype=dtype) for stride in STRIDES]


def test_as_torchvisions_where_strides_divide_the_image() -> None:
    theirs = AnchorGenerator(tuple((8 * stride,) for stride in STRIDES), (RATIOS,) * 3)
    expected = theirs(ImageList(torch.zeros(2, 3, 64, 96), [(64, 96)] * 2), maps((64, 96)))
    found = PyramidAnchors(STRIDES, 8, RATIOS)(images_of(2, (64, 96)), maps((64, 96)))
    assert len(found) == 2
    assert torch.equal(found[1], expected[1])


def test_a_cell_is_a_stride_wide_in_an_image_that_no_stride_divides() -> None:
    found = PyramidAnchors((16,), 1, (1.0,)).on([torch.zeros(1, 1, 2, 2)])  # of 47 pixels
    assert found[:, 0].tolist() == [-8, 8, -8, 8]


def test_coordinates_stay_exact_under_bfloat16() -> None:
    exact, coarse = (
        PyramidAnchors(STRIDES, 8, RATIOS).on(maps((512, 512), kind)) for kind in (torch.float32, torch.bfloat16)
    )
    assert coarse.dtype == torch.float32
    assert torch.equal(coarse, exact)


def test_of_too_many_objects_a_random_part_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "PAIRS", 1000)
    few = {"boxes": torch.rand(10, 4), "labels": torch.arange(10)}
    many = {"boxes": torch.arange(2000.0)[:, None].expand(-1, 4), "labels": torch.arange(2000)}
    first, second = bounded([few, many], 100)
    assert first is few
    assert len(second["boxes"]) == 10
    assert torch.equal(second["boxes"][:, 0].long(), second["labels"])
