"""The objects of an image: their boxes and classes."""

import torch
from torch import Tensor
from torchvision.ops import box_iou, roi_align

from vggexp.trainer.advice.target.contract import Rows
from vggexp.trainer.advice.target.one_class import OneClass
from vggexp.types import Batch, Objects

REGIONS = 4
"""The most objects that are drawn from each image, and the most regions of background."""
APART = 0.3
"""A region of background has a smaller IoU than this with every object (R-CNN: Girshick et al. 2014, section 2.3)."""
TRIES = 20
"""Places that are tried for each region of background."""


class Regions(OneClass):
    """A row is a region, the box of an object or one of background: means over it of the stage's and all earlier maps.

    A linear classifier of regions is what R-CNN fits to a network's features; a pyramid reads those of all stages. That
    the boxes are given makes the task easier than detection, which also has to find them.
    """

    metric = "right regions"

    def rows(self, maps: tuple[Tensor, ...], batch: Batch) -> Rows:
        """(R, the channels of all stages so far), with the classes (R,): 0 for background, the objects' from 1."""
        height, width = batch["image"].shape[-2:]
        drawn = [
            regions(objects, int(index), (height, width))
            for objects, index in zip(batch["objects"], batch["index"], strict=True)
        ]
        boxes = [one for one, _ in drawn]
        means = [roi_align(one.float(), boxes, 1, one.shape[-1] / width, aligned=True).flatten(1) for one in maps]
        images = batch["index"].repeat_interleave(torch.tensor([len(one) for one in boxes]))
        together = [torch.cat(means[:stage], 1) for stage in range(1, len(means) + 1)]
        return Rows(together, torch.cat([classes for _, classes in drawn]), images)


def regions(objects: Objects, index: int, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Boxes (R, 4) and classes (R,) of some objects, and of as many regions of background if there is room for them.

    A region of background has the size of one of the objects. Crowds and difficult objects are neither.

    Args:
        index: the image's; everything that is drawn depends on it alone.
        size: (height, width) of the image, pixels.
    """
    draw = torch.Generator().manual_seed(index)
    places = objects.counted().nonzero().flatten()
    chosen = objects[places[torch.randperm(len(places), generator=draw)[:REGIONS]]]
    sides = chosen.boxes[:, 2:] - chosen.boxes[:, :2]
    room = torch.tensor([size[1], size[0]]) - sides
    tried = (torch.rand(TRIES, *sides.shape, generator=draw) * room).flatten(0, 1)
    tried = torch.cat([tried, tried + sides.repeat(TRIES, 1)], 1)
    free = tried[(box_iou(tried, objects.boxes) < APART).all(1)][: len(chosen)]
    classes = torch.cat([chosen.labels + 1, torch.zeros(len(free), dtype=torch.int64)])
    return torch.cat([chosen.boxes, free]), classes
