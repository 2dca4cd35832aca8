"""Torchvision's random resized crop, to the bit."""

import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from vggexp.sample.crop import Crop

CROPS = [
    {"size": [20, 24], "scale": (0.5, 1.0)},
    {"size": 16},
    {"size": [40, 40], "scale": (0.1, 0.4)},  # enlarges
    {"size": [20, 24], "interpolation": v2.InterpolationMode.NEAREST},
    {"size": [20, 24], "interpolation": v2.InterpolationMode.BICUBIC},
    {"size": [20, 24], "antialias": False},
]


@pytest.mark.parametrize("arguments", CROPS, ids=str)
@pytest.mark.parametrize("rows_first", [True, False])
@pytest.mark.parametrize("kind", [torch.Tensor, tv_tensors.Image])
def test_it_gives_torchvisions_pixels(arguments: dict[str, object], rows_first: bool, kind: type) -> None:
    image = torch.randint(0, 256, (60, 80, 3), dtype=torch.uint8).permute(2, 0, 1)  # as decoders lay it out
    image = (image.contiguous() if rows_first else image).as_subclass(kind)
    theirs = v2.RandomResizedCrop(**arguments)  # type: ignore[arg-type]
    for seed in range(10):
        torch.manual_seed(seed)
        expected = theirs(image)
        torch.manual_seed(seed)
        assert torch.equal(Crop(theirs)(image), expected)


def test_of_a_smaller_decode_it_is_the_stored_images_crop() -> None:
    theirs = v2.RandomResizedCrop([20, 20], scale=(0.3, 1.0))
    small = torch.zeros(3, 31, 41, dtype=torch.uint8)
    for seed in range(50):
        torch.manual_seed(seed)
        whole = theirs.make_params([torch.empty(3, 61, 81)])
        torch.manual_seed(seed)
        found = Crop(theirs).of((61, 81)).make_params([small])
        for key, ratio in (("top", 31 / 61), ("height", 31 / 61), ("left", 41 / 81), ("width", 41 / 81)):
            assert abs(found[key] - whole[key] * ratio) <= 1
        assert found["top"] + found["height"] <= 31
        assert found["left"] + found["width"] <= 41
