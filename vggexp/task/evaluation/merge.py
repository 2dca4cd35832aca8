"""OverFeat's merging of boxes: the two nearest become their mean, and the evidence of both is added.

Sermanet et al., "OverFeat", arXiv 1312.6229, section 4.3. The paper's match score is "the sum of the distance between
centers and the intersection area". Here it is without units, and 0 for equal boxes: the distance of the centres in
sides of a box (the root of the two areas' mean), plus 1 minus the intersection over the union.
"""

import torch
from torch import Tensor


def apart(one: Tensor, others: Tensor) -> Tensor:
    """How far boxes (..., 4) are from others (..., 4), as edges (left, top, right, bottom): 0 where they are equal.

    Two boxes of 2 x 2, moved by 1: half a side, and an IoU of 2 / 6.

    >>> apart(torch.tensor([0.0, 0, 2, 2]), torch.tensor([[0.0, 0, 2, 2], [1.0, 0, 3, 2]]))
    tensor([0.0000, 1.1667])
    """
    middles = (one[..., :2] + one[..., 2:] - others[..., :2] - others[..., 2:]) / 2
    sides = (torch.minimum(one[..., 2:], others[..., 2:]) - torch.maximum(one[..., :2], others[..., :2])).clamp(min=0)
    shared, areas = sides.prod(-1), _area(one) + _area(others)
    least = torch.finfo(areas.dtype).tiny
    iou = shared / (areas - shared).clamp(min=least)
    distance: Tensor = middles.square().sum(-1).sqrt() / (areas / 2).clamp(min=least).sqrt()
    return distance + 1 - iou


def merge(boxes: Tensor, evidence: Tensor, limit: float) -> tuple[Tensor, Tensor]:
    """Merge the two nearest boxes until no two are within ``limit`` of each other.

    Args:
        boxes: (K, 4), edges (left, top, right, bottom).
        evidence: (K, C), of each box and class; of merged boxes it is added.
        limit: the largest distance (``apart``) at which boxes are merged.

    Returns:
        The boxes that are left, (B, 4), and their evidence, (B, C), on the CPU.
    """
    boxes, evidence = boxes.float().cpu().clone(), evidence.float().cpu().clone()
    gone = torch.zeros(len(boxes), dtype=torch.bool)
    if len(boxes) < 2:
        return boxes, evidence
    distance = apart(boxes[:, None], boxes)
    distance.fill_diagonal_(torch.inf)
    nearest, partner = distance.min(1)
    while float(nearest.min()) <= limit:
        kept = int(nearest.argmin())
        other = int(partner[kept])
        boxes[kept] = (boxes[kept] + boxes[other]) / 2
        evidence[kept] += evidence[other]
        gone[other] = True
        row = apart(boxes[kept], boxes)
        row[gone] = row[kept] = torch.inf
        distance[kept] = distance[:, kept] = row
        distance[other] = distance[:, other] = torch.inf
        closer = row < nearest
        nearest[closer], partner[closer] = row[closer], kept
        stale = ((partner == kept) & ~closer) | (partner == other)
        stale[kept] = stale[other] = True
        nearest[stale], partner[stale] = distance[stale].min(1)
    return boxes[~gone], evidence[~gone]


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)
