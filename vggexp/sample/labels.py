"""Masks in recipes: a torchvision tensor type with its own kernels for resizing a mask.

torchvision's kernels take the label under each pixel's upper left corner, which shifts the mask by half a pixel against
image and box. Every transform that scales a mask calls ``resize`` or ``resized_crop``, which are replaced here. Affine,
rotation, perspective and elastic already take the label under each pixel's centre (torch's ``grid_sample``).
"""

from typing import Any

import torch
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional

from vggexp.sample.mask_grid import stretch


class Labels(tv_tensors.Mask):  # type: ignore[misc]
    """A mask (H, W), uint8; when it is resized, each new pixel takes the label under its centre."""


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
