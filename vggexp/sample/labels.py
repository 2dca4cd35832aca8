"""Masks as recipes move them: a type of torchvision's with kernels of its own for what resamples a mask.

torchvision's kernels take the label under each pixel's upper left corner: against image and box that is half a pixel
off. Every transform that scales a mask calls ``resize`` or ``resized_crop``, which are mended here. Affine,
rotation, perspective and elastic take the label under each pixel's centre by themselves (torch's ``grid_sample``).
"""

from typing import Any

import torch
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional

from vggexp.sample.mask_grid import stretch


class Labels(tv_tensors.Mask):  # type: ignore[misc]
    """A mask (H, W), uint8, whose resized pixels take the label under their centre."""


@functional.register_kernel(functional.resize, Labels)  # type: ignore[untyped-decorator]
def _resize(mask: Labels, size: list[int] | None, *_: Any, max_size: int | None = None, **__: Any) -> Labels:
    plain = mask.as_subclass(torch.Tensor)
    # Of no channels: torchvision says the size alone.
    height, width = functional.resize(plain.new_empty((0, *plain.shape[-2:])), size, max_size=max_size).shape[-2:]
    return tv_tensors.wrap(stretch(plain, (height, width)), like=mask)  # type: ignore[no-any-return]


@functional.register_kernel(functional.resized_crop, Labels)  # type: ignore[untyped-decorator]
def _resized_crop(mask: Labels, top: int, left: int, height: int, width: int, size: list[int], **_: Any) -> Labels:
    part = functional.crop_mask(mask.as_subclass(torch.Tensor), top, left, height, width)
    return tv_tensors.wrap(stretch(part, (size[0], size[1])), like=mask)  # type: ignore[no-any-return]
