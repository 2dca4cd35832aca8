"""The steps of papers: a patch's centre, an object's crop, VGG's scale jitter, a shift of colours."""

import pytest
import torch

from vggexp.errors import ConfigError
from vggexp.sample.scale_jitter import ShorterSide
from vggexp.sample.transform import Transform
from vggexp.types import VOID


def scene() -> tuple[torch.Tensor, torch.Tensor]:
    """Two objects of class 1 and one of class 2 on background; red is 50 times the class, green the row."""
    mask = torch.zeros(40, 60, dtype=torch.uint8)
    mask[5:15, 5:15], mask[20:36, 30:50], mask[4:8, 40:60] = 1, 1, 2
    mask[0] = VOID
    image = torch.stack([mask.clamp(max=3) * 50, torch.arange(40).expand(60, 40).T.to(torch.uint8) * 5, mask * 0])
    return image, mask


def test_a_patch_keeps_the_class_of_its_centre_alone() -> None:
    image, mask = scene()
    transform = Transform([{"CentrePatch": {"size": 11}}])
    torch.manual_seed(0)
    seen = []
    for _ in range(200):
        sample = transform(image, index=0, mask=mask)
        assert sample["image"].shape == (3, 11, 11)
        assert (sample["mask"] != VOID).sum() == 1
        centre = int(sample["mask"][5, 5])
        assert int(sample["image"][0, 5, 5]) == 50 * centre
        seen.append(centre)
    counts = torch.tensor(seen).bincount(minlength=3) / len(seen)
    assert counts.min() > 0.2  # each class alike, though they cover very different areas


def test_every_pixel_is_drawn_alike_without_balance() -> None:
    image, mask = scene()
    transform = Transform([{"CentrePatch": {"size": 11, "balanced": False}}])
    torch.manual_seed(0)
    drawn = torch.tensor([int(transform(image, index=0, mask=mask)["mask"][5, 5]) for _ in range(300)])
    assert (drawn == 0).float().mean() > 0.6


def test_the_crop_of_an_object_shows_it_alone() -> None:
    image, mask = scene()
    transform = Transform([{"ObjectCrop": {"size": [24, 24], "least": 0.01}}])
    torch.manual_seed(0)
    classes = set()
    for _ in range(40):
        sample = transform(image, index=0, mask=mask)
        found = set(sample["mask"].unique().tolist()) - {VOID}
        assert found <= {0, 1} or found <= {0, 2}
        inside = sample["mask"] > 0
        inside &= sample["mask"] != VOID
        assert 0.5 < inside.float().mean() <= 1  # the box's middle 1/1.44, or more at the border
        assert (sample["image"][0][inside] >= 24).float().mean() > 0.95  # half of 50 at the edge
        classes |= found
    assert classes == {0, 1, 2}


def test_with_all_labels_and_without_objects_the_image_stays_whole() -> None:
    image, mask = scene()
    every = Transform([{"ObjectCrop": {"size": [40, 60], "keep": 1.0, "alone": True}}])(image, index=0, mask=mask)
    assert torch.equal(every["mask"], mask)
    none = Transform([{"ObjectCrop": {"size": [40, 60]}}])(image, index=0, mask=mask * 0)
    assert torch.equal(none["mask"], mask * 0)


def test_the_shorter_side_is_drawn_from_the_paper_s_range() -> None:
    """A crop of 32 of a photo of 64 x 96 whose shorter side becomes S shows 32 / S of that side."""
    step = ShorterSide([32, 32], [40, 80])
    torch.manual_seed(0)
    drawn = [step.make_params([torch.zeros(3, 64, 96)]) for _ in range(300)]
    parts = torch.tensor([one["height"] for one in drawn])
    assert parts.min() in (26, 27)  # 32 / 80 of 64
    assert parts.max() in (50, 51)  # 32 / 40 of 64
    assert all(one["height"] == one["width"] for one in drawn)
    assert all(one["top"] + one["height"] <= 64 and one["left"] + one["width"] <= 96 for one in drawn)
    assert {one["left"] for one in drawn} > {0}
    image = torch.randint(0, 256, (3, 64, 96), dtype=torch.uint8)
    assert Transform([{"ShorterSide": {"size": [32, 32], "shorter": 40}}])(image, index=0)["image"].shape == (3, 32, 32)


def test_a_colour_shift_moves_the_image_alone() -> None:
    image, mask = scene()
    torch.manual_seed(0)
    sample = Transform([{"ColourShift": {"std": 0.5}}])(image, index=0, mask=mask)
    moved = (sample["image"].int() - image.int()).flatten(1)
    assert torch.equal(sample["mask"], mask)
    free = (image.flatten(1) > 30) & (image.flatten(1) < 200)
    for change, inner in zip(moved[:2], free[:2], strict=True):
        assert len(change[inner].unique()) == 1
    same = Transform([{"ColourShift": {"std": 0.0}}])(image, index=0)["image"]
    assert torch.equal(same, image)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"CentrePatch": {"size": 10}}, "size=10 is not an odd number of pixels"),
        ({"CentrePatch": {"size": 11}}, "CentrePatch needs a mask"),
        ({"ObjectCrop": {"size": [8, 8]}}, "ObjectCrop needs a mask"),
        ({"ObjectCrop": {"size": [8, 8], "extend": 0}}, "extend=0 is above 0"),
        ({"ShorterSide": {"size": [32, 32], "shorter": [20, 80]}}, r"shorter=\[20, 80\] is not \[least, most\], 32"),
        ({"ColourShift": {"std": -1}}, "std=-1 is not a number of 0 or more"),
    ],
)
def test_what_cannot_be_is_one_line(step: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Transform([step])(torch.zeros(3, 40, 40, dtype=torch.uint8), index=0)
