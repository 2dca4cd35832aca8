"""What the one-stage detectors share: candidates of each level or class, and anchors for a batch."""

from collections.abc import Sequence

import torch
from torch import Tensor


def top_of_each_class(scores: Tensor, boxes: Tensor, most: int) -> tuple[Tensor, Tensor, Tensor]:
    """The best candidates of each class.

    Args:
        scores: (N, A, C).
        boxes: (N, A, 4).
        most: number of candidates of a class.

    Returns:
        Boxes (N, C * k, 4), scores and labels (N, C * k).
    """
    number, places, classes = scores.shape
    top, chosen = scores.transpose(1, 2).topk(min(most, places), 2)
    found = boxes.gather(1, chosen.flatten(1)[..., None].expand(-1, -1, 4))
    labels = torch.arange(classes, device=scores.device).repeat_interleave(top.shape[2]).expand(number, -1)
    return found, top.flatten(1), labels


def top_of_each_level(scores: Tensor, boxes: Tensor, counts: Sequence[int], most: int) -> tuple[Tensor, Tensor, Tensor]:
    """The same of each level; a place is a candidate for every class.

    Args:
        scores, boxes, most: as above.
        counts: number of places of each level; their sum is A.
    """
    found = []
    levels = (torch.split(values, list(counts), 1) for values in (scores, boxes))
    for own, box in zip(*levels, strict=True):
        classes = own.shape[2]
        top, chosen = own.flatten(1).topk(min(most, own.shape[1] * classes), 1)
        place = torch.div(chosen, classes, rounding_mode="floor")
        found.append((box.gather(1, place[..., None].expand(-1, -1, 4)), top, chosen % classes))
    first, second, third = (torch.cat(values, 1) for values in zip(*found, strict=True))
    return first, second, third
