"""Compares the objects that an exported file finds with those of the run.

Rounding decides the order of two objects with nearly equal scores, so each object is compared with the most similar one
of its class, wherever that stands.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from vggexp.head.detection.padded import Padded
from vggexp.types import ObjectList, Objects

NEAR = 0.01
"""Two objects further apart, in score or in shares of the image's longer side, are not the same one."""


def object_difference(run: ObjectList, given: Mapping[str, Tensor], size: tuple[int, int]) -> dict[str, float]:
    """The largest differences over all objects of a batch.

    Args:
        run: what the run finds in images of ``size`` = (H, W).
        given: what the file says, in slots.

    Returns:
        ``object_boxes``, in shares of the image's longer side; ``object_scores``; ``object_masks``, the share of pixels
        that differ, if there are masks; ``object_labels``, the share of objects, of both, that the other lacks.
    """
    found = Padded.of(given).objects(size)
    names = ["object_boxes", "object_scores", *(["object_masks"] if run and run[0].masks is not None else [])]
    largest = dict.fromkeys(names, 0.0)
    alone, number = 0, 0
    for ours, theirs in zip(run, found, strict=True):
        number += len(ours) + len(theirs)
        if not len(ours) or not len(theirs):
            alone += len(ours) + len(theirs)
            continue
        boxes, scores = _apart(ours, theirs, max(size))
        total = torch.maximum(boxes, scores)
        alone += int((total.amin(1) > NEAR).sum() + (total.amin(0) > NEAR).sum())
        for mine, other in enumerate(total.argmin(1).tolist()):
            if total[mine, other] <= NEAR:
                largest["object_boxes"] = max(largest["object_boxes"], float(boxes[mine, other]))
                largest["object_scores"] = max(largest["object_scores"], float(scores[mine, other]))
                if ours.masks is not None and theirs.masks is not None:
                    differing = float((ours.masks[mine] != theirs.masks[other]).float().mean())
                    largest["object_masks"] = max(largest["object_masks"], differing)
    return {**largest, "object_labels": alone / max(1, number)}


def _apart(ours: Objects, theirs: Objects, side: int) -> tuple[Tensor, Tensor]:
    """How far each pair's boxes and scores are apart, (K, L) each; infinitely far if their classes differ."""
    assert ours.scores is not None
    assert theirs.scores is not None
    boxes = (ours.boxes[:, None] - theirs.boxes).abs().amax(2) / side
    scores = (ours.scores[:, None] - theirs.scores).abs()
    other = ours.labels[:, None] != theirs.labels
    return boxes.masked_fill(other, torch.inf), scores.masked_fill(other, torch.inf)
