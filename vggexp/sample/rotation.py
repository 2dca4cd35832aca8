"""torchvision's RandomRotation (v2) with ``expand``: the box, too, turns about the image's centre.

torchvision rounds the expanded image up to whole pixels. It centres the picture in it, but places the box from the top
left, up to a pixel off its object.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from vggexp.errors import ConfigError


def rotation(step: v2.RandomRotation) -> v2.Transform:
    """The rotation itself; of one that expands, a ``Rotation``."""
    if not step.expand:
        return step
    if step.center is not None:
        raise ConfigError("transform RandomRotation: expand turns about the image's middle; leave out center")
    return Rotation(step)


class Rotation(v2.Transform):  # type: ignore[misc]
    """A rotation that expands the image.

    Args:
        step: torchvision's rotation.
    """

    def __init__(self, step: v2.RandomRotation) -> None:
        super().__init__()
        self.step = step

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The angle, degrees; the expanded image's (height, width), and how far the box's frame is from its middle."""
        angle = self.step.make_params(flat_inputs)["angle"]
        height, width = v2.query_size(flat_inputs)
        size = functional.rotate(torch.empty((1, height, width), device="meta"), angle, expand=True).shape[-2:]
        cos, sin = abs(math.cos(math.radians(angle))), abs(math.sin(math.radians(angle)))
        frame = (height * cos + width * sin, width * cos + height * sin)
        return {"angle": angle, "size": tuple(size), "shift": [(a - b) / 2 for a, b in zip(size, frame, strict=True)]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The part, rotated; of a box, the edges (left, top, right, bottom) that enclose its corners."""
        if not isinstance(inpt, tv_tensors.BoundingBoxes):
            return self.step.transform(inpt, {"angle": params["angle"]})
        # Not clipped: torchvision's size of a box's image is at times a pixel less than the image's own.
        whole = tv_tensors.wrap(inpt.as_subclass(Tensor), like=inpt, clamping_mode=None)
        edges = self.step.transform(whole, {"angle": params["angle"]}).as_subclass(Tensor)
        down, right = params["shift"]
        shift = edges.new_tensor([right, down, right, down])
        return tv_tensors.wrap(edges + shift, like=inpt, canvas_size=params["size"])
