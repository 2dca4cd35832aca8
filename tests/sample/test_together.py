"""Image, mask and box stay together through every recipe, and on the way back to the photo.

Each pixel of the photo holds its own column or row, and so does its mask: what comes out says where it came from, so a
shift of a hundredth of a pixel shows.
"""

from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision import tv_tensors

from vggexp.boxes import from_edges, to_edges
from vggexp.deploy.predict.view import View
from vggexp.errors import ConfigError
from vggexp.sample.recipe import pipeline
from vggexp.sample.resize import Recipe
from vggexp.sample.transform import Transform
from vggexp.types import VOID

TOLERANCE = 0.05
"""Pixels of what the network sees."""
SIZES = st.tuples(st.integers(60, 250), st.integers(60, 250))
"""(height, width): columns and rows must be told apart by 255 values, and VOID is another."""
SEEN = st.tuples(st.integers(40, 130), st.integers(40, 130))


def photo(size: tuple[int, int]) -> Tensor:
    """Float (3, H, W): each pixel's column and row, and 255 where there is a photo at all."""
    rows, columns = torch.meshgrid(*map(torch.arange, size), indexing="ij")
    return torch.stack([columns, rows, torch.full_like(rows, 255)]).float()


def inner(covered: Tensor, margin: int = 3) -> Tensor:
    """Where all pixels near by are of the photo: at its edges the image is blended with what is beyond."""
    outside = torch.nn.functional.pad((covered < 254.9).float()[None], (margin,) * 4, value=1)
    return torch.nn.functional.max_pool2d(outside, 2 * margin + 1, 1)[0] == 0


def placement(shown: Tensor, valid: Tensor) -> Tensor:
    """(2, 3): where (x, y, 1) of the photo lies in an image (3, H, W) that shows columns and rows."""
    rows, columns = valid.nonzero(as_tuple=True)
    places = torch.cat([shown[:2, valid] + 0.5, torch.ones(1, len(rows))]).T.double()
    return torch.linalg.lstsq(places, torch.stack([columns, rows], 1).double() + 0.5).solution.T


def check(
    recipe: Recipe, size: tuple[int, int], box: Tensor, seed: int, nearest: float = 0.0, pads: bool = False
) -> None:
    """Mask and box of what a recipe gives lie where its image is.

    Args:
        nearest: pixels that torch's "nearest-exact" may move an image.
        pads: whether what was cut out is padded with black: a box that the cut went through ends there.
    """
    image = photo(size)
    torch.manual_seed(seed)
    shown = pipeline(recipe)(tv_tensors.Image(image)).as_subclass(Tensor)  # in floats: rounded columns would not do
    matrix = placement(shown, valid := inner(shown[2]))
    scale = float(matrix[:, :2].det().abs().sqrt())
    for axis in (0, 1):
        torch.manual_seed(seed)
        sample = Transform(recipe)(image.byte(), index=0, box=box, mask=image[axis].byte())
        assert (sample["image"] - shown)[
            :, valid
        ].abs().max() <= 1.5  # rounded up to three times: moved, scaled on each axis
        # By nearly a whole factor, the nearest labels themselves lie on one side of what is shown.
        seen = valid & (sample["mask"] != VOID)
        offsets = [
            float((sample["mask"].double() - exact)[seen].mean()) * scale
            for exact in (shown[axis], shown[axis].round())
        ]
        offset = min(offsets, key=abs)
        assert abs(offset) < TOLERANCE + nearest, f"the mask lies {offset:.3f} pixels beside the image"
    limits = torch.tensor([*shown.shape[:0:-1]] * 2)
    edges = to_edges(sample["box"]).double() * limits
    torch.testing.assert_close(edges, moved(box, image, recipe, seed, pads), rtol=0, atol=TOLERANCE + nearest)


def moved(box: Tensor, image: Tensor, recipe: Recipe, seed: int, pads: bool) -> Tensor:
    """Edges (4,) of a box that each step moves, and cuts where it cuts the image."""
    before = torch.tensor([[1.0, 0, 0], [0, 1, 0]], dtype=torch.float64)
    for count in range(1, len(recipe) + 1):
        torch.manual_seed(seed)  # the first steps draw the same again
        shown = pipeline(recipe[:count])(tv_tensors.Image(image)).as_subclass(Tensor)
        after = placement(shown, inner(shown[2]))
        linear = after[:, :2] @ before[:, :2].inverse()
        step_matrix = torch.cat([linear, (after[:, 2] - linear @ before[:, 2])[:, None]], 1)
        start, limits = torch.zeros(4), torch.tensor([*shown.shape[:0:-1]] * 2)
        if pads:
            rows, columns = (shown[2] > 127).nonzero(as_tuple=True)
            start = torch.stack([columns.min(), rows.min()] * 2)
            limits = torch.stack([columns.max() + 1, rows.max() + 1] * 2)
        box, before = hull(box, step_matrix).maximum(start).minimum(limits), after
    return box


def hull(box: Tensor, matrix: Tensor) -> Tensor:
    """Edges (4,) of a box whose corners are moved."""
    corners = torch.stack([box[[0, 1]], box[[2, 1]], box[[2, 3]], box[[0, 3]]]).double()
    there = corners @ matrix[:, :2].T + matrix[:, 2]
    return torch.cat([there.amin(0), there.amax(0)])


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
    seen, fill, smooth = list(draw(SEEN)), {"fill": 0}, {"fill": 0, "interpolation": "bilinear"}
    mode = draw(st.sampled_from(["bilinear", "bicubic"]))
    scaling = draw(
        st.sampled_from(
            [
                step("Resize", size=seen, interpolation=mode),
                step("Resize", size=seen[0], interpolation=mode, max_size=300),
                step("RandomResizedCrop", size=seen, scale=[0.6, 1.0], interpolation=mode),
                step("RandomShortestSize", min_size=seen, interpolation=mode),
                step("RandomResize", min_size=50, max_size=90, interpolation=mode),
                step("Fit", size=seen, mode="letterbox", gray=0, interpolation=mode),
                step("Fit", size=seen, mode="crop", interpolation=mode),
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
                    step(
                        "RandomAffine",
                        degrees=0,
                        translate=[0.1, 0.1],
                        scale=[0.8, 1.2],
                        interpolation="bilinear",
                        **fill,
                    ),
                    step("RandomAffine", degrees=20, shear=5, **smooth),
                    step("RandomRotation", degrees=30, **smooth),
                ]
            ),
            max_size=1,
        )
    )
    return [*moving, scaling] if draw(st.booleans()) else [scaling, *moving]


# A crop that cuts the box, then padding: the box ends at the cut, and not where it would have ended in the padding.
@example(
    ((64, 60), torch.tensor([5.0, 5, 30, 32])),
    [
        step("RandomResizedCrop", size=[40, 40], scale=[0.6, 1.0], interpolation="bilinear"),
        step("Pad", padding=[3, 5, 0, 7], fill=0),
    ],
    0,
)
@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(scenes(), recipes(), st.integers(0, 2**31))
def test_image_mask_and_box_move_together(scene: tuple[tuple[int, int], Tensor], recipe: Recipe, seed: int) -> None:
    check(recipe, *scene, seed)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(scenes(), st.one_of(st.sampled_from([0, 90, 180, 270]), st.floats(-180, 180)))
def test_a_rotation_that_expands_its_image_takes_the_box_along(
    scene: tuple[tuple[int, int], Tensor], degrees: float
) -> None:
    turned = step("RandomRotation", degrees=[degrees, degrees], expand=True, interpolation="bilinear", fill=0)
    for recipe in ([turned], [step("Resize", size=[77, 90]), turned]):
        check(recipe, *scene, seed=0)


def test_a_rotation_that_expands_has_no_other_centre() -> None:
    with pytest.raises(ConfigError, match="RandomRotation: expand turns about the image's middle; leave out center"):
        pipeline([step("RandomRotation", degrees=9, expand=True, center=[1, 2])])


# "nearest" is not in the recipes above: where a centre lies between two pixels, torch's "nearest-exact" always takes
# the later one, and the image, not its box or its mask, is up to a quarter of a pixel off.
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", 0])
@pytest.mark.parametrize("name", ["Resize", "RandomResizedCrop"])
def test_nearest_is_the_one_that_moves_nothing(name: str, mode: str | int) -> None:
    arguments = {"scale": [1.0, 1.0], "ratio": [1.0, 1.0]} if name == "RandomResizedCrop" else {}
    recipe = [step(name, size=[67, 67], interpolation=mode, **arguments)]
    check(recipe, (201, 201), torch.tensor([20.0, 30, 130, 120]), seed=0)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(scenes(), SEEN, st.sampled_from(["squash", "letterbox", "crop", "part"]), st.integers(0, 2**31))
def test_every_mode_moves_image_mask_and_box_together(
    scene: tuple[tuple[int, int], Tensor], seen: tuple[int, int], mode: str, seed: int
) -> None:
    more = {"gray": 0} if mode in ("letterbox", "part") else {}  # black shows where there is no photo
    if mode == "part":
        mode, more = "letterbox", {"scale": [0.5, 1.0], **more}
    check([step("Fit", size=list(seen), mode=mode, **more)], *scene, seed, pads=mode == "letterbox")


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(scenes(), st.sampled_from(["squash", "shorter", "crop", "pad", "none", "fit", "letterbox", "centre"]), SEEN)
def test_what_is_found_in_a_view_lies_there_on_the_photo(
    scene: tuple[tuple[int, int], Tensor], name: str, seen: tuple[int, int]
) -> None:
    """A mask of columns, and a box, taken from the network's image and laid back."""
    (height, width), box = scene
    recipes: dict[str, Recipe] = {
        "squash": [step("Resize", size=list(seen))],
        "shorter": [step("Resize", size=min(seen)), step("CenterCrop", size=list(seen))],
        "crop": [step("CenterCrop", size=[height - 9, width - 4]), step("Resize", size=list(seen))],
        "pad": [step("Pad", padding=[7, 2, 0, 5]), step("Resize", size=list(seen))],
        "none": [],
        "fit": [step("Fit", size=list(seen))],
        "letterbox": [step("Fit", size=list(seen), mode="letterbox", gray=0)],
        "centre": [step("Fit", size=list(seen), mode="crop")],
    }
    image = photo((height, width))
    pixels, window = View(recipes[name], seen)(image.byte())
    assert pixels.shape == (3, *seen)
    shown = pipeline([*recipes[name], step("Resize", size=list(seen))])(tv_tensors.Image(image)).as_subclass(Tensor)
    matrix = placement(shown, valid := inner(shown[2]))
    assert (pixels - shown)[:, valid].abs().max() <= 1
    limits = torch.tensor([*seen[::-1]] * 2)
    laid = window.lay_back({"box": from_edges((hull(box, matrix) / limits).float())}, (height, width))
    found = to_edges(laid["box"]).double() * torch.tensor([width, height, width, height])
    scale = matrix[:, :2].diagonal()
    torch.testing.assert_close(found * scale.repeat(2), box * scale.repeat(2), rtol=0, atol=TOLERANCE)
    for axis in (0, 1):
        # Labels of the network's pixels, which laid back say where each pixel of the photo took its own from.
        numbers = torch.arange(seen[1 - axis], dtype=torch.uint8)
        mask = (numbers if axis == 0 else numbers[:, None]).expand(seen)
        back = window.lay_back({"mask": mask}, (height, width))["mask"].double()
        lies = (image[axis] + 0.5) * scale[axis] + matrix[axis, 2]
        offset = float((back + 0.5 - lies)[back != VOID].mean())
        assert abs(offset) < TOLERANCE, f"the mask is laid back {offset:.3f} pixels beside the photo"
