"""Squash, letterbox and crop: what becomes of a photo's shape, and which words are refused."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional

from vggexp.cache.eligible import is_random
from vggexp.errors import ConfigError
from vggexp.sample.fit import JITTER, Fit, drawn_part
from vggexp.sample.recipe import pipeline
from vggexp.sample.resize import at_size, meaning, without_size
from vggexp.sample.transform import Transform
from vggexp.types import VOID

SIDES = st.integers(1, 400)


def fit(size: tuple[int, int], mode: str, **more: Any) -> list[Any]:
    return [{"Fit": {"size": list(size), "mode": mode, **more}}]


def noise(height: int, width: int) -> torch.Tensor:
    return torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("evaluation", [True, False])
def test_squash_is_torchvisions_to_the_bit(evaluation: bool) -> None:
    more = {} if evaluation else {"scale": [0.5, 1.0]}
    theirs = [{"Resize" if evaluation else "RandomResizedCrop": {"size": [30, 44], **more}}]
    samples = []
    for recipe in (theirs, fit((30, 44), "squash", **more)):
        torch.manual_seed(3)
        mask = torch.arange(61 * 83).view(61, 83).remainder(5).byte()
        transform = Transform(recipe)
        samples.append(transform(noise(61, 83), index=0, box=torch.tensor([9.0, 8, 70, 50]), mask=mask))
        assert transform.shrink(480, 640) == 8 if evaluation else 4
    assert all(torch.equal(samples[0][key], samples[1][key]) for key in samples[0])  # type: ignore[literal-required]


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(SIDES, SIDES, st.integers(8, 90), st.integers(8, 90), st.sampled_from(["letterbox", "crop"]))
def test_one_factor_scales_both_sides(height: int, width: int, rows: int, columns: int, mode: str) -> None:
    found = Fit([rows, columns], mode).make_params([torch.empty(3, height, width)])["sides"]
    factor = (min if mode == "letterbox" else max)(rows / height, columns / width)
    assert found == pytest.approx([height * factor, width * factor], abs=0.5 + 1e-9) or min(found) == 1
    assert rows == found[0] or columns == found[1]
    assert (found[0] <= rows and found[1] <= columns) if mode == "letterbox" else found[0] >= rows
    if height * width * max(found) < 10**6:
        assert pipeline(fit((rows, columns), mode))(noise(height, width)).shape == (3, rows, columns)


def test_a_letterbox_shows_the_whole_photo_between_two_bars() -> None:
    image, mask = torch.full((3, 40, 80), 7, dtype=torch.uint8), torch.ones(40, 80, dtype=torch.uint8)
    sample = Transform(fit((40, 40), "letterbox"))(image, index=0, mask=mask, box=torch.tensor([0.0, 0, 80, 40]))
    assert (sample["image"][:, :10] == 128).all()
    assert (sample["image"][:, 10:30] == 7).all()
    assert (sample["image"][:, 30:] == 128).all()
    assert ((sample["mask"] == VOID) == (sample["image"][0] == 128)).all()
    assert sample["box"].tolist() == [0, 0.25, 0.5, 1]


def test_a_crop_shows_the_centre() -> None:
    image = torch.zeros(3, 40, 80, dtype=torch.uint8)
    image[:, :, 20:60] = 9
    sample = Transform(fit((20, 20), "crop"))(image, index=0, box=torch.tensor([10.0, 10, 50, 20]))
    assert (sample["image"][:, :, 1:-1] == 9).all()
    assert sample["box"].tolist() == [0, 0.25, 0.25, 0.75]  # what is left of it


def test_a_box_that_a_crop_cuts_away_is_refused_with_advice() -> None:
    box = torch.tensor([2.0, 5, 18, 30])
    with pytest.raises(ConfigError, match=r"cuts a box away; keep the whole photo: data\.resize=letterbox, not crop"):
        Transform(fit((20, 20), "crop"))(noise(40, 80), index=0, box=box)
    Transform(fit((20, 20), "crop"))(noise(40, 80), index=0)  # a task without boxes


@pytest.mark.parametrize("mode", ["letterbox", "crop"])
def test_an_image_decoded_smaller_lies_where_the_whole_one_does(mode: str) -> None:
    whole = noise(45, 61)
    small = functional.resize(whole, [23, 31])
    transform = Transform(fit((17, 15), mode))
    box = torch.tensor([20.0, 10, 40, 30])
    one = transform(whole, index=0, box=box)
    other = transform(small, index=0, box=box / 2, size=(45, 61))
    assert one["image"].shape == other["image"].shape
    torch.testing.assert_close(one["box"], other["box"], rtol=0, atol=0.5 * 17 / 45 / 15)
    if mode == "letterbox":  # the bars, to the pixel
        assert ((one["image"] == 128).all(0).sum(1) == 15).equal((other["image"] == 128).all(0).sum(1) == 15)


def test_a_drawn_part_has_the_photos_shape_and_the_share_of_its_area() -> None:
    torch.manual_seed(0)
    for _ in range(300):
        top, left, height, width = drawn_part((300, 900), [0.3, 0.8])
        assert 0 <= top <= 300 - height
        assert 0 <= left <= 900 - width
        assert 1 / JITTER - 0.01 <= width / height / 3 <= JITTER + 0.01
        assert 0.2 <= height * width / 270000 <= 0.81


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "letterbx"}, "transform Fit: mode=letterbx is not known; did you mean 'letterbox'"),
        ({"size": 224}, r"transform Fit: size=224 is not \[height, width\]"),
        ({"size": [224, 0]}, r"transform Fit: size=\[224, 0\] is not \[height, width\]"),
        ({"gray": 9}, "gray=9 has no effect with mode=squash: only mode=letterbox pads"),
        ({"gray": 300, "mode": "letterbox"}, "gray=300 is not a whole number from 0 to 255"),
        ({"scale": [0, 1]}, r"scale=\[0, 1\] is not \[least, most\]"),
        ({"sise": 3}, "transform Fit has no argument 'sise'; did you mean 'size'"),
    ],
)
def test_a_word_that_cannot_be_is_one_line(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        pipeline([{"Fit": {"size": [32, 32], **arguments}}])


def test_the_same_step_by_another_name_is_the_same_opening() -> None:
    theirs: list[Any] = [{"Resize": {"size": [30, 44]}}]
    opening, rest = Transform([*theirs, "RandomHorizontalFlip"], fit((30, 44), "squash")).divided()
    assert opening is not None
    assert opening.recipes == (theirs, None)  # so what was kept of earlier versions is found again
    assert rest.recipes == (["RandomHorizontalFlip"], [])


def test_recipes_as_lists() -> None:
    recipe = [*fit((64, 48), "squash"), "RandomHorizontalFlip", {"CenterCrop": {"size": 64}}]
    assert at_size(recipe, [64, 48], [32, 96], "crop") == [*fit((32, 96), "crop"), *recipe[1:]]
    assert at_size(recipe, [64, 64], [32, 96]) == recipe
    assert without_size(recipe) == ["RandomHorizontalFlip"]
    assert not is_random(fit((64, 48), "letterbox"))
    assert is_random(fit((64, 48), "letterbox", scale=[0.5, 1.0]))
    assert is_random(fit((64, 48), "squash", scale=[0.5, 1.0]))


@pytest.mark.parametrize(
    ("recipe", "word"),
    [
        ([], "squash"),
        ([{"Resize": {"size": [32, 32]}}], "squash"),
        (fit((32, 32), "squash"), "squash"),
        (fit((32, 32), "letterbox", gray=9), "letterbox"),
        (fit((32, 32), "crop"), "crop"),
        ([{"Resize": {"size": 32}}, {"CenterCrop": {"size": 32}}], "as the steps say"),
    ],
)
def test_what_a_recipe_means(recipe: list[Any], word: str) -> None:
    assert meaning(recipe).startswith(word)
