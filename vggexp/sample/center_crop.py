"""The centre crop of torchvision.transforms.v2, for images that are smaller than the crop, too.

torchvision pads such an image; if the padding is odd, it moves the box one pixel further than the image, and it pads
the mask with 0, which is a class. Here image, box and mask move alike, and the mask is padded with VOID.
"""

from typing import Any

from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from vggexp.sample.labels import Labels
from vggexp.types import VOID


class CenterCrop(v2.Transform):  # type: ignore[misc]
    """Crops the centre; an image that is too small is first padded with black.

    Args:
        step: torchvision's crop, whose size is taken.
    """

    def __init__(self, step: v2.CenterCrop) -> None:
        super().__init__()
        self.size = (int(step.size[0]), int(step.size[1]))

    def make_params(self, flat_inputs: list[Any]) -> dict[str, list[int]]:
        """The padding as (left, top, right, bottom), and the corner of the crop as (top, left)."""
        sides = v2.query_size(flat_inputs)
        missing = [max(wanted - side, 0) for wanted, side in zip(self.size, sides, strict=True)]
        top, left = missing[0] // 2, missing[1] // 2
        excess = [side + more - wanted for wanted, side, more in zip(self.size, sides, missing, strict=True)]
        return {
            "padding": [left, top, missing[1] - left, missing[0] - top],
            "corner": [round(more / 2) for more in excess],
        }

    def transform(self, inpt: Any, params: dict[str, list[int]]) -> Any:
        """The centre of one input."""
        if any(params["padding"]):
            inpt = functional.pad(inpt, params["padding"], fill=VOID if isinstance(inpt, Labels) else 0)
        return functional.crop(inpt, *params["corner"], *self.size)
