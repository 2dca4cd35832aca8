"""Boxes and masks take the moves of automatic augmentation; the image is torchvision's to the bit."""

from typing import Any

import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from tests.sample.test_together import check, step
from vggexp.errors import ConfigError
from vggexp.sample.auto_augment import MOVING, AutoAugment
from vggexp.sample.labels import Labels
from vggexp.sample.recipe import pipeline
from vggexp.sample.transform import Transform

NAMES = ("AutoAugment", "RandAugment", "TrivialAugmentWide")


@pytest.mark.parametrize("move", MOVING)
@pytest.mark.parametrize("name", NAMES)
def test_image_mask_and_box_take_the_same_move(name: str, move: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each move alone: what changes colours would hide where a pixel came from.

    As far as RandAugment moves: where TrivialAugment's shear moves each row by 0.99 pixels, taking the nearest label
    shifts the mean of a mask by 0.1 pixels.
    """
    kind = getattr(v2, name)
    monkeypatch.setattr(kind, "_AUGMENTATION_SPACE", {move: v2.RandAugment._AUGMENTATION_SPACE[move]})
    monkeypatch.setattr(v2.AutoAugment, "_get_policies", lambda self, _: [((move, 1.0, 4),)])
    one = {"num_ops": 1} if name == "RandAugment" else {}  # a second turn takes the box about the first one's box
    recipe = [step(name, interpolation="bilinear", **one)]
    for seed in range(5):
        check(recipe, (130, 170), torch.tensor([40.0, 30, 110, 90]), seed)


@pytest.mark.parametrize("name", NAMES)
def test_the_image_is_torchvisions(name: str) -> None:
    image = torch.randint(0, 256, (3, 40, 50), dtype=torch.uint8)
    mask = Labels(torch.zeros(40, 50, dtype=torch.uint8))
    for seed in range(20):
        torch.manual_seed(seed)
        expected = getattr(v2, name)(interpolation="bilinear")(tv_tensors.Image(image))
        for others in ({}, {"mask": mask}):
            torch.manual_seed(seed)
            found = pipeline([step(name, interpolation="bilinear")])({"image": tv_tensors.Image(image), **others})
            assert torch.equal(found["image"], expected)


def test_a_change_of_colours_moves_no_target(monkeypatch: pytest.MonkeyPatch) -> None:
    colours = {key: value for key, value in v2.RandAugment._AUGMENTATION_SPACE.items() if key not in MOVING}
    assert len(colours) == 9
    monkeypatch.setattr(v2.RandAugment, "_AUGMENTATION_SPACE", colours)
    mask, box = torch.arange(200, dtype=torch.uint8).view(10, 20), torch.tensor([3.0, 2, 9, 8])
    parts: dict[str, Any] = {
        "image": tv_tensors.Image(torch.randint(0, 256, (3, 10, 20), dtype=torch.uint8)),
        "box": tv_tensors.BoundingBoxes(box[None], format="XYXY", canvas_size=(10, 20)),
        "mask": Labels(mask),
    }
    for _ in range(20):
        found = AutoAugment(v2.RandAugment())(parts)
        assert torch.equal(found["mask"].as_subclass(torch.Tensor), mask)
        assert torch.equal(found["box"].as_subclass(torch.Tensor)[0], box)


def test_what_mixes_several_versions_of_an_image_takes_no_mask() -> None:
    image, mask = torch.zeros(3, 40, 40, dtype=torch.uint8), torch.zeros(40, 40, dtype=torch.uint8)
    with pytest.raises(ConfigError, match="not supported by AugMix"):
        Transform(["AugMix"])(image, index=0, mask=mask)
