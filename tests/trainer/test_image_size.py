"""``data.image_size`` is what the evaluation transform gives, or one line says so before anything is written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.command.test_predict import write
from vggexp.deploy.predict.view import View
from vggexp.errors import ConfigError
from vggexp.sample.loader import collate
from vggexp.sample.transform import Transform

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["data.image_size=[32,48]"], "gives images of 32 x 32 (height x width), and data.image_size says 32 x 48"),
        (["data.eval_transform=[{Resize: {size: [40,40]}}]"], "gives images of 40 x 40 (height x width)"),
    ],
)
def test_a_contradiction_is_one_line_before_the_run_begins(words: list[str], message: str, tiny: Run) -> None:
    code, _, errors = tiny(*words, "run.dir=new")
    assert code == 2
    assert message in errors
    assert errors.count("\n") == 1
    assert not Path("new").exists()


def test_evaluate_and_predict_refuse_it_too(trained: Path, vggexp: Run) -> None:
    write("a.png", 50, 60)
    for words in (("evaluate", str(trained), "output=x.json"), ("predict", str(trained), "a.png", "workers=0")):
        code, _, errors = vggexp(*words, "data.eval_transform=[{Resize: {size: [40,56]}}]")
        assert code == 2
        assert "gives images of 40 x 56 (height x width), and data.image_size says 32 x 32" in errors
        assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("recipe", "refused"),
    [
        ([], False),
        ([{"Grayscale": {"num_output_channels": 3}}], False),
        ([{"Resize": {"size": 64}}], False),  # of a photo's own shape: what follows is a resize
        ([{"Resize": {"size": [32, 48]}}], False),
        ([{"Resize": {"size": [48, 32]}}], True),
        ([{"Resize": {"size": 64}}, {"CenterCrop": {"size": [60, 60]}}], True),
    ],
)
def test_a_view_refuses_a_recipe_that_always_ends_elsewhere(recipe: list[Any], refused: bool) -> None:
    if refused:
        with pytest.raises(ConfigError, match=r"and data\.image_size says 32 x 48"):
            View(recipe, (32, 48))
    else:
        assert View(recipe, (32, 48))(torch.zeros(3, 50, 60, dtype=torch.uint8))[0].shape == (3, 32, 48)


def test_images_of_several_sizes_make_no_batch() -> None:
    transform = Transform([{"Resize": {"size": 32}}])
    samples = [transform(torch.zeros(3, *size, dtype=torch.uint8), index=0) for size in ((64, 64), (64, 96), (64, 64))]
    assert collate(samples[::2])["image"].shape == (2, 3, 32, 32)
    with pytest.raises(ConfigError, match=r"32 x 32 and 32 x 48 pixels .* each end at one size"):
        collate(samples)
