"""The colour jitter of torchvision.transforms.v2: to the bit, in less time.

torchvision turns the image to floats and back in each of its steps. Here it becomes floats once, a plane a channel,
which a processor adds up eight or sixteen pixels at a time; between the steps it is cut to whole numbers, as there.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

WHITE = 255
KINDS = (Tensor, tv_tensors.Image)


class Jitter(v2.Transform):  # type: ignore[misc]
    """Brightness, contrast and saturation of a uint8 RGB image; what else there is, torchvision does.

    Args:
        step: the jitter that it stands for; its draws are that one's.
    """

    def __init__(self, step: v2.ColorJitter) -> None:
        super().__init__()
        self.step = step

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The draw: the order of the changes, and a factor for each."""
        return self.step.make_params(flat_inputs)  # type: ignore[no-any-return]

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image with its colours changed, each channel a plane."""
        is_rgb = type(inpt) in KINDS and inpt.dtype == torch.uint8 and inpt.ndim == 3 and len(inpt) == 3
        if not is_rgb or params["hue_factor"] is not None:
            return self.step.transform(inpt, params)
        planes = inpt.as_subclass(Tensor).to(torch.float32, memory_format=torch.contiguous_format, copy=True)
        factors = [params[f"{name}_factor"] for name in ("brightness", "contrast", "saturation")]
        for number in params["fn_idx"].tolist():
            if number < len(factors) and factors[number] is not None:
                CHANGES[number](planes, factors[number])
        pixels = planes.to(torch.int16).to(torch.uint8)  # in two steps: torch does each many at once, not both in one
        return pixels if type(inpt) is Tensor else tv_tensors.wrap(pixels, like=inpt)


def brighten(planes: Tensor, factor: float) -> None:
    """Multiply the colours; here and below: whole numbers in 0..255, (3, H, W), changed where they lie."""
    _cut(planes.mul_(factor), factor)


def contrast(planes: Tensor, factor: float) -> None:
    """Move them away from the image's mean gray, or towards it."""
    gray = _gray(planes).mean()
    _cut(planes.mul_(factor).add_(gray, alpha=1 - factor), factor)


def saturate(planes: Tensor, factor: float) -> None:
    """Move them away from each pixel's gray, or towards it."""
    gray = _gray(planes)
    _cut(planes.mul_(factor).add_(gray, alpha=1 - factor), factor)


CHANGES: tuple[Callable[[Tensor, float], None], ...] = (brighten, contrast, saturate)
"""By torchvision's numbers."""


def _gray(planes: Tensor) -> Tensor:
    red, green, blue = planes.unbind()
    return red.mul(0.2989).add_(green, alpha=0.587).add_(blue, alpha=0.114).floor_()


def _cut(planes: Tensor, factor: float) -> None:
    """To whole numbers in 0..255; a factor of at most 1 has led to none beyond them."""
    (planes.clamp_(0, WHITE) if factor > 1 else planes).floor_()
