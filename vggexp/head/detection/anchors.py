"""Anchors of one map or of a pyramid: boxes of fixed shapes on the grid of each map."""

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList

from vggexp.head.detection.fit import Grid, best_iou, cells, fittest, sizes

SHARES = (0.2, 0.4, 0.8)
"""About the paper's sides of anchors on one map, as shares of the image's shorter side."""
SMALL = 256
"""Images with a shorter side below it, in pixels, have smaller anchors than the papers' photos."""
PAIRS = 2**26
"""Maximum number of anchors times objects of an image, whose IoUs then take 256 MiB."""
POOLED = 32
"""Stride of VGG's last stage; a pyramid's coarser maps are made from it."""
CELLS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0)
"""Sizes of a pyramid's anchors that are compared."""


class MapAnchors(AnchorGenerator):  # type: ignore[misc]
    """torchvision's anchors on one map.

    Args:
        stride: of the map, pixels.
        shares: sides of square anchors, as shares of the image's shorter side; None: about the paper's.
        ratios: heights by widths.
        side: the image's shorter side, pixels.
    """

    def __init__(self, stride: int, shares: Sequence[float] | None, ratios: Sequence[float], side: int) -> None:
        super().__init__((tuple(share * side for share in shares or SHARES),), (tuple(ratios),))
        self._stride, self._shares, self._ratios = stride, shares, tuple(ratios)

    @property
    def unset(self) -> tuple[str, ...]:
        """The argument of the head that was not given, and is the paper's until it is fitted."""
        return () if self._shares else ("anchors",)

    def overlaps(self, boxes: Tensor, size: tuple[int, int]) -> Tensor:
        """(N,): the IoU of each of the boxes (N, 4), in pixels of images of ``size`` = (H, W), with its best anchor."""
        return best_iou(boxes, [_grid(self.cell_anchors[0], size, self._stride, self._stride)])

    def fitted(self, boxes: Tensor, size: tuple[int, int]) -> dict[str, Any]:
        """``anchors``, as many as there are, that fit these boxes best."""
        overlaps = {share: self._of(share, size).overlaps(boxes, size) for share in sizes(boxes, min(size))}
        choices = itertools.combinations(overlaps, min(len(self.sizes[0]), len(overlaps)))
        best = fittest(choices, lambda chosen: torch.stack([overlaps[share] for share in chosen]).amax(0))
        return {"anchors": list(best)}

    def _of(self, share: float, size: tuple[int, int]) -> "MapAnchors":
        return MapAnchors(self._stride, (share,), self._ratios, min(size))


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
        self.strides, self._ratios = tuple(strides), tuple(ratios)

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        """The anchors (A, 4) of each image, in the order of the maps."""
        anchors = self.on(feature_maps)
        return [anchors] * len(image_list.image_sizes)

    unset: tuple[str, ...] = ()
    """Their size follows from the image's."""

    def overlaps(self, boxes: Tensor, size: tuple[int, int]) -> Tensor:
        """(N,): the IoU of each of the boxes (N, 4), in pixels of images of ``size`` = (H, W), with its best anchor."""
        pairs = zip(self.strides, self.cell_anchors, strict=True)
        return best_iou(boxes, [_grid(around, size, stride, POOLED) for stride, around in pairs])

    def fitted(self, boxes: Tensor, size: tuple[int, int]) -> dict[str, Any]:
        """``anchor``, in cells, that fits these boxes best."""
        best = fittest(CELLS, lambda found: PyramidAnchors(self.strides, found, self._ratios).overlaps(boxes, size))
        return {"anchor": best}

    def on(self, maps: Sequence[Tensor]) -> Tensor:
        """The anchors (A, 4) of an image with these maps."""
        device = maps[0].device
        steps = [[torch.tensor(stride, device=device)] * 2 for stride in self.strides]
        if self.cell_anchors[0].device != device:  # not while it is exported, which forbids to set attributes
            self.set_cell_anchors(torch.float32, device)
        found: Tensor = torch.cat(self.grid_anchors([list(one.shape[-2:]) for one in maps], steps))
        return found


def _grid(around: Tensor, size: tuple[int, int], stride: int, pooled: int) -> Grid:
    """A map's anchors, given the (S, 4) around one place: torchvision's first place is the image's corner."""
    rows, columns = (cells(side, stride, pooled) for side in size)
    step = (float(stride), float(stride))
    return Grid((rows, columns), (0.0, 0.0), step, (around[:, 2:] - around[:, :2]).flip(1))


def cells_for(image_size: Sequence[int]) -> float:
    """The side of an anchor in cells: 8 as in the FPN's paper, where the finest map has 32 pixels; 4 on small images.

    >>> cells_for((800, 800)), cells_for((64, 64))
    (8.0, 4.0)
    """
    return 4.0 if is_small(image_size) else 8.0


def is_small(image_size: Sequence[int]) -> bool:
    """Whether objects on images of this size, [height, width] in pixels, are near the papers' cells."""
    return min(image_size) < SMALL


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
