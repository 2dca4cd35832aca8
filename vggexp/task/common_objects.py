"""The commonest objects of a data set: what the best constant detector says of every image."""

from collections.abc import Sequence

import torch

from vggexp.types import Objects

MOST = 100
"""The most objects that the constant detector finds in an image, as COCO counts them."""
CELLS = 8
"""Boxes whose edges lie in the same cells of a grid of CELLS x CELLS over the image count as one box."""


def common_objects(seen: Sequence[Objects], images: int) -> Objects:
    """The ``MOST`` commonest objects, the commonest first.

    Boxes of one class are put together by the cells of their edges; each group is represented by its mean box, and its
    score is the share of the images that have one.

    Args:
        seen: the objects of each image; at least one of all.
        images: how many images there are.
    """
    boxes = torch.cat([one.boxes for one in seen]).float()
    labels = torch.cat([one.labels for one in seen])
    # Where the last edge of all boxes lies the image ends, or nearly: cached features come without the images' size.
    ends = boxes[:, 2:].amax(0).clamp(min=1).repeat(2)
    cells = (boxes / ends * CELLS).round().long().clamp(0, CELLS)
    grid = torch.cat((labels[:, None], cells), 1)
    keys, group, count = torch.unique(grid, dim=0, return_inverse=True, return_counts=True)
    sums = torch.zeros(len(keys), 4, dtype=torch.float64).index_add_(0, group, boxes.double())
    order = count.argsort(descending=True, stable=True)[:MOST]
    mean = (sums / count[:, None])[order].float()
    return Objects(mean, keys[order, 0], scores=(count[order] / images).clamp(max=1).float())


def filled(objects: Objects, size: tuple[int, int]) -> Objects:
    """The objects with masks of ``size`` = (H, W) that fill their boxes."""
    height, width = size
    left, top, right, bottom = (edge[:, None] for edge in objects.boxes.round().unbind(1))
    rows, columns = (torch.arange(side, device=objects.boxes.device)[None] for side in (height, width))
    inside = ((rows >= top) & (rows < bottom))[:, :, None] & ((columns >= left) & (columns < right))[:, None]
    return Objects(objects.boxes, objects.labels, masks=inside.to(torch.uint8), scores=objects.scores)
