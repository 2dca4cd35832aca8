"""Torchvision's colour jitter, to the bit."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from vggexp.sample.jitter import Jitter

JITTERS: list[dict[str, Any]] = [
    {"brightness": 0.9},
    {"contrast": 0.9},
    {"saturation": 0.9},
    {"brightness": 0.2, "contrast": 0.2, "saturation": 0.2},
    {"brightness": [0, 3], "contrast": [0, 3], "saturation": [0, 3]},  # black, white, gray, and far beyond
    {"brightness": 0.4, "hue": 0.2},
]


def picture(seed: int, channels: int = 3) -> Tensor:
    """Smooth colours with some noise, channels last, as decoders lay them out."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, channels, 6, 7, generator=generator) * 300 - 20
    smooth = torch.nn.functional.interpolate(coarse, size=(224, 224), mode="bilinear")[0]
    image = (smooth + 4 * torch.randn(smooth.shape, generator=generator)).clamp(0, 255).to(torch.uint8)
    return image.permute(1, 2, 0).contiguous().permute(2, 0, 1)


@pytest.mark.parametrize("arguments", JITTERS, ids=str)
@pytest.mark.parametrize("planes", [True, False])
@pytest.mark.parametrize("kind", [Tensor, tv_tensors.Image])
def test_it_gives_torchvisions_pixels(arguments: dict[str, Any], planes: bool, kind: type) -> None:
    theirs = v2.ColorJitter(**arguments)
    ours = Jitter(theirs)
    for seed in range(12):
        image = picture(seed)
        image = (image.contiguous() if planes else image).as_subclass(kind)
        before = image.clone()
        torch.manual_seed(seed)
        expected = theirs(image)
        torch.manual_seed(seed)
        found = ours(image)
        assert type(found) is kind
        assert torch.equal(found, expected)
        assert torch.equal(image, before)
        assert not torch.equal(found, image)


def test_what_is_no_rgb_image_is_torchvisions_business() -> None:
    theirs = v2.ColorJitter(brightness=0.5, contrast=0.5)
    for image in (picture(0, channels=1), picture(0).float() / 255, picture(0)[None]):
        torch.manual_seed(0)
        expected = theirs(image)
        torch.manual_seed(0)
        assert torch.equal(Jitter(theirs)(image), expected)


def test_boxes_and_masks_keep_their_values() -> None:
    mask = tv_tensors.Mask(torch.randint(0, 3, (224, 224), dtype=torch.uint8))
    box = tv_tensors.BoundingBoxes(torch.tensor([[1, 2, 3, 4]]), format="XYXY", canvas_size=(224, 224))
    moved = Jitter(v2.ColorJitter(brightness=0.5))({"image": tv_tensors.Image(picture(0)), "mask": mask, "box": box})
    assert torch.equal(moved["mask"], mask)
    assert torch.equal(moved["box"], box)
