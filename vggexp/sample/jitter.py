"""torchvision.transforms.v2's ColorJitter: bit-identical, and faster.

torchvision converts the image to floats and back in each step. Here it is converted once, one plane per channel, which
vectorises well; between the steps the values are truncated to whole numbers, as torchvision does.
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
    """Brightness, contrast and saturation of a uint8 RGB image; torchvision handles everything else.

    Args:
        step: torchvision's jitter, whose draws are used.
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
        pixels = planes.to(torch.int16).to(torch.uint8)  # torch vectorises these two, but not both in one
        return pixels if type(inpt) is Tensor else tv_tensors.wrap(pixels, like=inpt)


def brighten(planes: Tensor, factor: float) -> None:
    """Multiply the colours. Here and below: whole numbers in 0..255, (3, H, W), changed in place."""
    _cut(planes.mul_(factor), factor)


def contrast(planes: Tensor, factor: float) -> None:
    """Move the colours away from the image's mean gray, or towards it."""
    gray = _gray(planes).mean()
    _cut(planes.mul_(factor).add_(gray, alpha=1 - factor), factor)


def saturate(planes: Tensor, factor: float) -> None:
    """Move the colours away from each pixel's own gray, or towards it."""
    gray = _gray(planes)
    _cut(planes.mul_(factor).add_(gray, alpha=1 - factor), factor)


CHANGES: tuple[Callable[[Tensor, float], None], ...] = (brighten, contrast, saturate)
"""By torchvision's numbers."""


def _gray(planes: Tensor) -> Tensor:
    red, green, blue = planes.unbind()
    return red.mul(0.2989).add_(green, alpha=0.587).add_(blue, alpha=0.114).floor_()


def _cut(planes: Tensor, factor: float) -> None:
    """Truncate to whole numbers and clip to 0..255; a factor of at most 1 needs no clipping."""
    (planes.clamp_(0, WHITE) if factor > 1 else planes).floor_()
