from pathlib import Path

import pytest
import torch
import yaml
from torch import Tensor

from vggexp.boxes import to_edges
from vggexp.errors import ConfigError
from vggexp.sample.resize import MODES, Recipe
from vggexp.sample.transform import Transform
from vggexp.types import VOID, Sample

HEIGHT, WIDTH = 60, 80


def scene() -> tuple[Tensor, Tensor, Tensor]:
    """A dark rectangle on light ground: image, edges, mask."""
    image = torch.full((3, HEIGHT, WIDTH), 220, dtype=torch.uint8)
    mask = torch.zeros(HEIGHT, WIDTH, dtype=torch.uint8)
    (left, top), (width, height) = torch.randint(0, 40, (2,)).tolist(), torch.randint(12, 20, (2,)).tolist()
    image[:, top : top + height, left : left + width] = 20
    mask[top : top + height, left : left + width] = 1
    return image, torch.tensor([left, top, left + width, top + height]), mask


def extent(ink: Tensor) -> Tensor:
    rows, columns = ink.nonzero(as_tuple=True)
    return torch.stack((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)).float()


def pixels(sample: Sample) -> Tensor:
    height, width = sample["image"].shape[-2:]
    return to_edges(sample["box"]) * torch.tensor([width, height, width, height])


FLIPS_AND_CROPS: Recipe = [
    "RandomVerticalFlip",
    {"RandomHorizontalFlip": {"p": 0.5}},
    {"RandomCrop": {"size": [50, 50]}},
]
RESIZED_CROP: Recipe = [{"RandomResizedCrop": {"size": [48, 64], "scale": [0.5, 1.0]}}, "RandomHorizontalFlip"]
MOVING: list[tuple[Recipe, float]] = [
    (FLIPS_AND_CROPS, 0),
    ([{"RandomApply": {"transforms": [{"RandomRotation": {"degrees": [90, 90], "expand": True}}], "p": 0.5}}], 0),
    ([{"RandomZoomOut": {"side_range": [1.0, 2.0], "p": 1.0, "fill": 220}}], 0),
    (RESIZED_CROP, 1),
    ([{"RandomAffine": {"degrees": 0, "translate": [0.3, 0.3], "scale": [0.7, 1.3], "fill": 220}}], 1),
    (["RandomIoUCrop", {"Resize": {"size": [30, 40]}}], 2),  # enlarges up to threefold
]


@pytest.mark.parametrize(("recipe", "tolerance"), MOVING, ids=str)
def test_image_box_and_mask_move_together(recipe: Recipe, tolerance: float) -> None:
    """Tolerance in pixels: box and image interpolate, the mask takes the nearest pixel."""
    torch.manual_seed(0)
    transform = Transform(recipe, [])
    for _ in range(20):
        image, box, mask = scene()
        sample = transform(image, index=3, label=2, box=box, mask=mask)
        assert set(sample["mask"].unique().tolist()) <= {0, 1, VOID}
        found = extent(sample["mask"] == 1)
        torch.testing.assert_close(pixels(sample), found, atol=tolerance + 1e-4, rtol=0)
        torch.testing.assert_close(extent(sample["image"][0] < 120), found, atol=tolerance, rtol=0)


def test_a_flip_mirrors_the_box_exactly() -> None:
    image, _, mask = scene()
    sample = Transform([{"RandomHorizontalFlip": {"p": 1.0}}], [])(
        image, index=0, box=torch.tensor([0, 15, 20, 45]), mask=mask
    )
    torch.testing.assert_close(sample["box"], torch.tensor([0.75, 0.25, 0.5, 0.25]))
    assert torch.equal(sample["image"], image.flip(-1))
    assert torch.equal(sample["mask"], mask.flip(-1))


def test_samples_are_plain_tensors_of_the_agreed_types() -> None:
    image, box, mask = scene()
    for recipe in ([], ["RandomHorizontalFlip"], [{"CenterCrop": {"size": 30}}]):
        sample = Transform(recipe, [])(image, index=7, label=1, box=box, mask=mask)
        sample["image"] = sample["image"].contiguous()  # it alone may lie as it was decoded
        kinds = {key: (type(value), value.dtype, value.is_contiguous()) for key, value in sample.items()}
        assert kinds == {
            "image": (Tensor, torch.uint8, True),
            "index": (Tensor, torch.int64, True),
            "label": (Tensor, torch.int64, True),
            "box": (Tensor, torch.float32, True),
            "mask": (Tensor, torch.uint8, True),
        }
    assert set(Transform([])(image, index=0)) == {"image", "index"}


def test_an_image_keeps_the_layout_that_it_was_decoded_in() -> None:
    decoded = torch.zeros(HEIGHT, WIDTH, 3, dtype=torch.uint8).permute(2, 0, 1)
    for recipe in ([], RESIZED_CROP):
        sample = Transform(recipe, [])(decoded, index=0)
        assert sample["image"].permute(1, 2, 0).is_contiguous()


@pytest.mark.parametrize("fill", [{}, {"fill": 128}])
def test_uncovered_mask_is_void_whatever_fills_the_image(fill: dict[str, int]) -> None:
    image, box, mask = scene()
    sample = Transform([{"Pad": {"padding": 4, **fill}}], [])(image, index=0, box=box, mask=mask)
    assert sample["mask"][0, 0] == VOID
    assert sample["image"][0, 0, 0] == fill.get("fill", 0)


def test_the_seed_decides() -> None:
    torch.manual_seed(1)
    image, box, mask = scene()
    transform = Transform([*RESIZED_CROP, {"ColorJitter": {"hue": 0.2, "brightness": 0.4}}], [])

    def drawn(seed: int) -> Sample:
        torch.manual_seed(seed)
        return transform(image, index=0, box=box, mask=mask)

    first, again, other = drawn(5), drawn(5), drawn(6)
    assert all(torch.equal(first[key], again[key]) for key in first)  # type: ignore[literal-required]
    assert not torch.equal(first["image"], other["image"])


def test_a_lost_box_is_drawn_again_and_then_left_to_the_evaluation_recipe() -> None:
    image, _, _ = scene()
    corner = torch.tensor([0, 0, 10, 10])
    evaluation: Recipe = [{"Resize": {"size": [30, 40]}}]
    hopeless = Transform([{"CenterCrop": {"size": [30, 40]}}], evaluation)
    assert torch.equal(hopeless(image, index=0, box=corner)["box"], torch.tensor([0, 0, 10 / 60, 10 / 80]))
    torch.manual_seed(0)
    redrawn = Transform([{"RandomCrop": {"size": [30, 40]}}], evaluation)
    for _ in range(50):
        assert pixels(redrawn(image, index=0, box=corner))[2:].min() > 0
    unboxed = hopeless(image, index=0)
    assert torch.equal(unboxed["image"], image[:, 15:45, 20:60])


def test_an_evaluation_recipe_must_keep_the_box() -> None:
    image, _, _ = scene()
    with pytest.raises(ConfigError, match="evaluation recipe cuts a box away"):
        Transform([{"CenterCrop": {"size": 20}}])(image, index=0, box=torch.tensor([0, 0, 10, 10]))


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (["RandomHorizontalFlp"], "did you mean 'RandomHorizontalFlip'"),
        ([{"Resize": {"sise": 3}}], "transform Resize has no argument 'sise'; did you mean 'size'"),
        (["Resize"], "transform Resize: .*size"),
        ([{"ColorJitter": {"hue": 3}}], "transform ColorJitter: hue"),
        ([3], "a transform is a name or one"),
        ([{"Resize": 3}], "a transform is a name or one"),
        ([{"Resize": {}, "Pad": {}}], "a transform is a name or one"),
        ([{"RandomApply": {"transforms": ["Pda"]}}], "did you mean 'Pad'"),
    ],
)
def test_mistakes_in_a_recipe_are_named_before_any_image(recipe: Recipe, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^[^\n]*{message}[^\n]*$"):
        Transform(recipe)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ([{"RandomCrop": {"size": [400, 40]}}], "fails on an image of 60 x 80: Required crop size"),
        (["AugMix"], "BoundingBoxes are not supported"),
        (["Grayscale"], "must give a uint8 RGB image"),
    ],
)
def test_recipes_that_fail_on_an_image(recipe: Recipe, message: str) -> None:
    image, box, _ = scene()
    with pytest.raises(ConfigError, match=message):
        Transform(recipe, [])(image, index=0, box=box)


@pytest.mark.parametrize("mode", MODES)
def test_the_recipes_of_the_yaml_files_work(mode: str) -> None:
    paths = sorted((Path(__file__).parents[2] / "conf" / "data").glob("*.yaml"))
    recipes = [
        recipe
        for path in paths
        for key, recipe in yaml.safe_load(path.read_text()).items()
        if key.endswith("_transform")
    ]
    assert len(recipes) >= 4
    image, box, mask = scene()
    for recipe in recipes:
        for arguments in (each for step in recipe if isinstance(step, dict) for each in step.values()):
            values = {"${data.image_size}": [32, 32], "${data.resize}": mode}
            arguments.update({key: values.get(value, value) for key, value in arguments.items() if type(value) is str})
        Transform(recipe, [])(image, index=0, box=box, mask=mask)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("ToPILImage", "the image becomes an object of type Image; leave out"),
        ("ToPureTensor", "the box becomes an object of type Tensor; leave out"),
        ({"FiveCrop": {"size": 20}}, "not supported by FiveCrop"),
        (
            {"ConvertBoundingBoxFormat": {"format": "CXCYWH"}},
            "the format CXCYWH; leave out ConvertBoundingBoxFormat",
        ),
    ],
    ids=str,
)
def test_a_step_that_gives_no_image_with_its_box_and_mask_is_named(step: object, message: str) -> None:
    image, box, mask = scene()
    with pytest.raises(ConfigError, match=f"^[^\n]*({message})[^\n]*$"):
        Transform([step])(image, index=0, box=box, mask=mask)  # type: ignore[list-item]


def test_a_centre_crop_that_pads_moves_all_alike_and_uncovers_void() -> None:
    """By an odd number of pixels, where torchvision moves a box by one more than its image."""
    image, box, mask = scene()
    sample = Transform([{"CenterCrop": {"size": [HEIGHT + 3, WIDTH + 7]}}])(image, index=0, box=box, mask=mask)
    assert torch.equal(extent(sample["mask"] == 1), pixels(sample).round())
    assert torch.equal(extent(sample["mask"] == 1), box + torch.tensor([3, 1, 3, 1]))
    assert (sample["mask"][0] == VOID).all()
    assert torch.equal(sample["image"][:, 1:-2, 3:-4], image)
