"""Image, mask and box stay together through every recipe, and on the way back to the photo.

Each pixel of the photo holds its own column or row, and so does its mask: what comes out says where it came from, so a
shift of a hundredth of a pixel shows.
"""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vggexp.boxes import from_edges, to_edges
from vggexp.deploy.predict.view import View
from vggexp.sample.recipe import Recipe
from vggexp.sample.transform import Transform
from vggexp.types import VOID

TOLERANCE = 0.05
"""Pixels of what the network sees."""
SIZES = st.tuples(st.integers(60, 250), st.integers(60, 250))
"""(height, width): columns and rows must be told apart by 255 values, and VOID is another."""
SEEN = st.tuples(st.integers(40, 130), st.integers(40, 130))
MODES = st.sampled_from(["bilinear", "bicubic", "nearest", "nearest-exact"])


def photo(size: tuple[int, int], axis: int) -> Tensor:
    """uint8 (3, H, W): each pixel's place on an axis (0: x, 1: y), 255 minus that, and 255 where there is a photo.

    Twice, because a resized pixel's value is rounded, halves always up.
    """
    rows, columns = torch.meshgrid(*map(torch.arange, size), indexing="ij")
    place = (columns, rows)[axis]
    return torch.stack([place, 255 - place, torch.full_like(place, 255)]).to(torch.uint8)


def inner(covered: Tensor, margin: int = 3) -> Tensor:
    """Where all pixels near by are of the photo: at its edges the image is blended with what is beyond."""
    outside = torch.nn.functional.pad((covered < 255).float()[None], (margin,) * 4, value=1)
    return torch.nn.functional.max_pool2d(outside, 2 * margin + 1, 1)[0] == 0


def source(image: Tensor) -> Tensor:
    """The place on the photo that each pixel shows: (H, W), pixels of the photo, 0 at its edge."""
    return (image[0].double() + 255 - image[1].double()) / 2 + 0.5


def placement(sources: list[Tensor], valid: Tensor) -> Tensor:
    """(2, 3): where (x, y, 1) of the photo lies in an image whose pixels show these places."""
    rows, columns = valid.nonzero(as_tuple=True)
    shown = torch.stack([*(place[valid] for place in sources), torch.ones(len(rows), dtype=torch.float64)], 1)
    return torch.linalg.lstsq(shown, torch.stack([columns + 0.5, rows + 0.5], 1).double()).solution.T


def check(recipe: Recipe, size: tuple[int, int], box: Tensor, seed: int) -> None:
    """Mask and box of what a training recipe gives lie where its image is."""
    transform, offsets, sources = Transform(recipe, []), [], []
    for axis in (0, 1):
        torch.manual_seed(seed)
        image = photo(size, axis)
        sample = transform(image, index=0, box=box, mask=image[0])
        valid = inner(sample["image"][2]) & (sample["mask"] != VOID)
        sources.append(source(sample["image"]))
        offsets.append(float((sample["mask"] + 0.5 - sources[axis])[valid].mean()))
    matrix, limits = placement(sources, valid), torch.tensor([*sample["image"].shape[:0:-1]] * 2)
    assert max(map(abs, offsets)) * float(matrix[:, :2].det().abs().sqrt()) < TOLERANCE, offsets
    edges = to_edges(sample["box"]).double() * limits
    torch.testing.assert_close(edges, hull(box, matrix).clamp(min=0).minimum(limits), rtol=0, atol=TOLERANCE)


def hull(box: Tensor, matrix: Tensor) -> Tensor:
    """Edges (4,) of a box whose corners are moved."""
    corners = torch.stack([box[[0, 1]], box[[2, 1]], box[[2, 3]], box[[0, 3]]]).double()
    moved = corners @ matrix[:, :2].T + matrix[:, 2]
    return torch.cat([moved.amin(0), moved.amax(0)])


@st.composite
def scenes(draw: st.DrawFn) -> tuple[tuple[int, int], Tensor]:
    """A photo's size, and a box about its middle that crops leave in sight."""
    height, width = draw(SIZES)
    left, top = draw(st.integers(5, width // 3)), draw(st.integers(5, height // 3))
    right, bottom = draw(st.integers(width // 2, width - 5)), draw(st.integers(height // 2, height - 5))
    return (height, width), torch.tensor([left, top, right, bottom], dtype=torch.float32)


def step(name: str, **arguments: Any) -> dict[str, Any]:
    return {name: arguments}


@st.composite
def recipes(draw: st.DrawFn) -> list[Any]:
    """What scales, then what moves; or the other way round."""
    seen, fill = list(draw(SEEN)), {"fill": 0}
    mode = draw(st.sampled_from(["bilinear", "bicubic"]))
    scaling = draw(
        st.sampled_from(
            [
                step("Resize", size=seen, interpolation=mode),
                step("Resize", size=seen[0], interpolation=mode, max_size=300),
                step("RandomResizedCrop", size=seen, scale=[0.6, 1.0], interpolation=mode),
                step("RandomShortestSize", min_size=seen, interpolation=mode),
                step("RandomResize", min_size=50, max_size=90, interpolation=mode),
                step("ScaleJitter", target_size=seen, scale_range=[0.8, 1.2], interpolation=mode),
            ]
        )
    )
    moving = draw(
        st.lists(
            st.sampled_from(
                [
                    "RandomHorizontalFlip",
                    "RandomVerticalFlip",
                    step("Pad", padding=[3, 5, 0, 7], **fill),
                    step("CenterCrop", size=[57, 58]),
                    step("RandomCrop", size=[55, 50], pad_if_needed=True, **fill),
                    step("RandomZoomOut", side_range=[1.0, 1.5], **fill),
                    step("RandomAffine", degrees=0, translate=[0.1, 0.1], scale=[0.8, 1.2], **fill),
                    step("RandomAffine", degrees=20, shear=5, interpolation="bilinear", **fill),
                    step("RandomRotation", degrees=30, expand=True, **fill),
                ]
            ),
            max_size=1,
        )
    )
    return [*moving, scaling] if draw(st.booleans()) else [scaling, *moving]


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(scenes(), recipes(), st.integers(0, 2**31))
def test_image_mask_and_box_move_together(scene: tuple[tuple[int, int], Tensor], recipe: Recipe, seed: int) -> None:
    check(recipe, *scene, seed)
