"""VGG's training images: a crop of a photo whose shorter side has a random length S (arXiv 1409.1556, section 3.1)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

KINDS = (Tensor, tv_tensors.Image)


class ShorterSide(v2.RandomResizedCrop):  # type: ignore[misc]
    """Scales a photo so that its shorter side is S pixels, S drawn from [least, most], and takes a random crop.

    It crops first and then scales, which gives the same image except at the border, where the filter sees less.

    Args:
        size: (height, width) of the crop.
        shorter: [least, most] of S, the paper's [Smin, Smax], pixels, or one number; not less than ``size``.

    Raises:
        ValueError: S could be less than a side of the crop.
    """

    def __init__(self, size: Sequence[int], shorter: Sequence[int] | int = (256, 512)) -> None:
        super().__init__(list(size), antialias=True)
        least, most = (shorter, shorter) if isinstance(shorter, int) else shorter
        if not max(size) <= least <= most:
            raise ValueError(f"shorter={shorter} is not [least, most], {max(size)} or more: the crop's longer side")
        self.shorter = (int(least), int(most))

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The crop in the photo's own pixels: ``top``, ``left``, ``height``, ``width``."""
        sides = v2.query_size(flat_inputs)
        drawn = int(torch.randint(self.shorter[0], self.shorter[1] + 1, ()))
        factor = min(sides) / drawn
        height, width = (
            min(max(round(wanted * factor), 1), side) for wanted, side in zip(self.size, sides, strict=True)
        )
        top, left = (int(torch.randint(side - part + 1, ())) for side, part in zip(sides, (height, width), strict=True))
        return {"top": top, "left": left, "height": height, "width": width}

    def has_enough(self, height: float, width: float) -> bool:
        """Whether a photo of this size is nowhere enlarged."""
        return min(height, width) >= self.shorter[1]


class ColourShift(v2.Transform):  # type: ignore[misc]
    """The random shift of colours along the principal components of ImageNet's (Krizhevsky et al., NIPS 2012, 4.1).

    Args:
        std: standard deviation of each component's random factor; the paper's is 0.1.
    """

    _values = (0.2175, 0.0188, 0.0045)
    _vectors = ((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203))

    def __init__(self, std: float = 0.1) -> None:
        super().__init__()
        if not isinstance(std, int | float) or std < 0:
            raise ValueError(f"std={std} is not a number of 0 or more")
        self.std = float(std)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """What is added to red, green and blue, in steps of 8-bit pixels."""
        factors = torch.randn(3) * self.std * torch.tensor(self._values)
        return {"shift": torch.tensor(self._vectors) @ factors * 255}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image with shifted colours; masks and boxes are unchanged."""
        if type(inpt) not in KINDS:
            return inpt
        shifted = inpt.as_subclass(Tensor) + params["shift"].view(3, 1, 1)
        pixels = shifted.round().clamp(0, 255).to(torch.uint8)
        return pixels if type(inpt) is Tensor else tv_tensors.wrap(pixels, like=inpt)
