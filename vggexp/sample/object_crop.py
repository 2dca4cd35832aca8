"""A crop around one object of the mask: the first stage of DeconvNet's training.

Noh, Hong & Han, arXiv 1505.04366, 4.2: the box of a true object, enlarged 1.2 times; first with only that
object labelled and everything else background, later with all labels. Here an object is a connected region of a class.
"""

from typing import Any

import torch
from scipy import ndimage
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from vggexp.sample.labels import Labels
from vggexp.types import VOID


class ObjectCrop(v2.Transform):  # type: ignore[misc]
    """Crops a random object, and scales the crop to a fixed size.

    Args:
        size: (height, width) of the output.
        extend: the crop's sides relative to the sides of the object's box.
        alone: whether all other labels become ``background``.
        background: the label of what is no object; such parts are not drawn. None: every class is one of objects, and
            with ``alone`` the others become VOID.
        least: share of the image's pixels that an object has at least; if none has, the image is only scaled.
        keep: probability of leaving an image whole, only scaled.
    """

    def __init__(
        self,
        size: list[int],
        extend: float = 1.2,
        alone: bool = True,
        background: int | None = 0,
        least: float = 0.005,
        keep: float = 0.0,
    ) -> None:
        super().__init__()
        if extend <= 0 or not 0 <= least < 1 or not 0 <= keep <= 1:
            raise ValueError(f"extend={extend} is above 0, and least={least} and keep={keep} are shares from 0 to 1")
        self.size, self.extend, self.alone, self.background = list(size), extend, alone, background
        self.least, self.keep = least, keep

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The crop as (top, left, height, width), and the object's pixels (H, W), bool; None: the whole image."""
        masks = [one.as_subclass(Tensor) for one in flat_inputs if isinstance(one, Labels)]
        if not masks:
            raise ValueError("ObjectCrop needs a mask to find objects in; it is for task=segmentation")
        height, width = masks[0].shape[-2:]
        whole = {"crop": (0, 0, height, width), "object": None}
        if float(torch.rand(())) < self.keep:
            return whole
        found = self._objects(masks[0])
        if not found:
            return whole
        thing = found[int(torch.randint(len(found), ()))]
        return {"crop": extended_box(thing, self.extend), "object": thing if self.alone else None}

    def _objects(self, mask: Tensor) -> list[Tensor]:
        """The connected parts of each class that are large enough."""
        found = []
        for label in torch.unique(mask).tolist():
            if label in (VOID, self.background):
                continue
            parts, count = ndimage.label((mask == label).numpy())
            found += [torch.from_numpy(parts == part) for part in range(1, count + 1)]
        return [part for part in found if part.sum() >= max(self.least * mask.numel(), 1)]

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The crop at ``size``."""
        if isinstance(inpt, tv_tensors.BoundingBoxes):
            raise ValueError("ObjectCrop moves images and masks, no boxes; it is for task=segmentation")
        if isinstance(inpt, Labels) and params["object"] is not None:
            plain = inpt.as_subclass(Tensor)
            other = VOID if self.background is None else self.background
            # what is void stays so: its class is not known
            inpt = Labels(torch.where(params["object"] | (plain == VOID), plain, torch.full_like(plain, other)))
        return functional.resized_crop(inpt, *params["crop"], self.size, antialias=True)


def extended_box(thing: Tensor, factor: float) -> tuple[int, int, int, int]:
    """(top, left, height, width) of an object's box (H, W), bool, ``factor`` times as large, within the image.

    >>> thing = torch.zeros(20, 30, dtype=torch.bool)
    >>> thing[5:15, 0:10] = True
    >>> extended_box(thing, 1.2)
    (4, 0, 12, 11)
    """
    spans = []
    for axis, side in zip((1, 0), thing.shape, strict=True):
        (hit,) = thing.any(axis).nonzero(as_tuple=True)
        first, end = int(hit[0]), int(hit[-1]) + 1
        more = round((end - first) * (factor - 1) / 2)
        first, end = max(first - more, 0), min(end + more, side)
        spans.append((first, max(end - first, 1)))
    (top, height), (left, width) = spans
    return top, left, height, width
