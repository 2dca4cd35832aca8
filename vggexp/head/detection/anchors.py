"""Anchors of a pyramid: boxes of fixed shapes on the grid of each map."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList

SMALL = 256
"""Images with a shorter side below it, in pixels, have smaller anchors than the papers' photos."""
PAIRS = 2**26
"""Maximum number of anchors times objects of an image, whose IoUs then take 256 MiB."""


class PyramidAnchors(AnchorGenerator):  # type: ignore[misc]
    """torchvision's anchors in float32, for maps of known strides.

    torchvision divides an image's sides by the map's to find the stride, which is wrong for small images: of 47 pixels
    pooling leaves one cell of 32.

    Args:
        strides: of the maps, from fine to coarse, pixels.
        cells: the side of a square anchor, in cells of its map.
        ratios: heights by widths.
    """

    def __init__(self, strides: Sequence[int], cells: float, ratios: Sequence[float]) -> None:
        sides = tuple((cells * stride,) for stride in strides)
        super().__init__(sides, (tuple(ratios),) * len(strides))
        self.strides = tuple(strides)

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        """The anchors (A, 4) of each image, in the order of the maps."""
        anchors = self.on(feature_maps)
        return [anchors] * len(image_list.image_sizes)

    def on(self, maps: Sequence[Tensor]) -> Tensor:
        """The anchors (A, 4) of an image with these maps."""
        device = maps[0].device
        steps = [[torch.tensor(stride, device=device)] * 2 for stride in self.strides]
        if self.cell_anchors[0].device != device:  # not while it is exported, which forbids to set attributes
            self.set_cell_anchors(torch.float32, device)
        found: Tensor = torch.cat(self.grid_anchors([list(one.shape[-2:]) for one in maps], steps))
        return found


def cells_for(image_size: Sequence[int]) -> float:
    """The side of an anchor in cells: 8 as in the FPN's paper, where the finest map has 32 pixels; 4 on small images.

    >>> cells_for((800, 800)), cells_for((64, 64))
    (8.0, 4.0)
    """
    return 8.0 if min(image_size) >= SMALL else 4.0


def images_of(number: int, size: tuple[int, int]) -> ImageList:
    """What torchvision's parts ask of a batch: the number and the size of its images, without pixels."""
    return ImageList(torch.empty((number, 0, *size), device="meta"), [size] * number)


def bounded(targets: list[dict[str, Tensor]], anchors: int) -> list[dict[str, Tensor]]:
    """The targets, so that memory is bounded: of more than ``PAIRS`` pairs with an anchor, a random part in each step.

    Args:
        targets: of each image.
        anchors: number of anchors that each object is compared with.
    """
    most = max(1, PAIRS // anchors)
    return [_some(one, most) if len(one["boxes"]) > most else one for one in targets]


def _some(target: dict[str, Tensor], most: int) -> dict[str, Tensor]:
    boxes = target["boxes"]
    chosen = torch.randperm(len(boxes), device=boxes.device)[:most]
    return {name: value[chosen] for name, value in target.items()}
