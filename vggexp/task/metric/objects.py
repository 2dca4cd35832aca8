"""Scores of detection and instance segmentation: COCO's and VOC's average precision, IoU and Dice, panoptic quality."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from vggexp.distributed.gather import gathered
from vggexp.task.matching import SURE, match
from vggexp.task.metric.coco import coco
from vggexp.task.metric.scored import Scored, backend, in_order, scored
from vggexp.task.metric.voc import voc
from vggexp.types import Batch, Prediction


class ObjectMetrics(nn.Module):
    """All objects of a split, scored together: with any number of processes exactly as with one.

    Of boxes: ``map`` (COCO's, the mean over IoUs from 0.5 to 0.95), ``map_50``, ``map_75``, ``map_small``,
    ``map_medium``, ``map_large``; ``ar_1``, ``ar_10``, ``ar_100`` and by size; ``voc_ap``, ``voc_ap_11``;
    ``ap/<class>``, ``ap_50/<class>``. Of masks the same, with ``segm_`` before the name.

    Of masks if there are any, else of boxes, with predictions whose score is at least ``matching.SURE``:
    ``object_iou`` and ``object_dice``, the means over the objects that were found (0 if none was); ``rq`` and ``pq``,
    recognition and panoptic quality (Kirillov et al. 2019, section 4.1), means over classes.

    Args:
        classes: names by label.
        masks: score masks as well as boxes.
    """

    def __init__(self, classes: Sequence[str], masks: bool) -> None:
        super().__init__()
        backend()  # an error before the training, not after it
        self.names, self.masks = tuple(classes), masks
        self._images: list[Scored] = []

    def update(self, prediction: Prediction, batch: Batch) -> None:
        """Add a batch: ``objects``, one ``Objects`` an image; DivergedError if a number is not finite."""
        self._images += scored(prediction, batch, self.masks)

    def compute(self) -> dict[str, Tensor]:
        """Scores, 0 to 1, over the images of all processes, each of which must call this; NaN without ground truth."""
        images = in_order([image for part in gathered(self._images) for image in part])
        scores = average_precision(images, self.names, self.masks) | quality(images, len(self.names))
        return {name: torch.tensor(value, dtype=torch.float32) for name, value in scores.items()}

    def reset(self) -> None:
        """Forget all images."""
        self._images = []


def average_precision(images: Sequence[Scored], names: Sequence[str], masks: bool) -> dict[str, float]:
    """COCO's and VOC's scores of the boxes and, with ``masks``, of the masks too."""
    scores = {**coco(images, names, masks=False), **_voc([without_masks(image) for image in images], len(names))}
    if masks:
        segm = {**coco(images, names, masks=True), **_voc(images, len(names))}
        scores |= {f"segm_{name}": value for name, value in segm.items()}
    return scores


def quality(images: Sequence[Scored], num_classes: int) -> dict[str, float]:
    """``object_iou``, ``object_dice``, ``rq`` and ``pq`` of the predictions that are sure."""
    right, false, missed, iou = np.zeros((4, num_classes))
    overlaps = [np.zeros(0)]
    for image in images:
        one = sure(image)
        counted = one.truth.counted()
        overlap = one.overlaps(~counted)
        found = match(overlap, one.predicted.labels, one.truth.labels, counted)
        hit = np.flatnonzero(found >= 0)
        shares, labels = overlap[hit, found[hit]], one.predicted.labels.numpy()
        overlaps.append(shares)
        right += np.bincount(labels[hit], minlength=num_classes)
        iou += np.bincount(labels[hit], shares, minlength=num_classes)
        false += np.bincount(labels[found == -1], minlength=num_classes)
        missed += np.bincount(one.truth.labels[counted].numpy(), minlength=num_classes)
    missed -= right
    if not (right + missed).any():
        return dict.fromkeys(("object_iou", "object_dice", "rq", "pq"), float("nan"))
    shares = np.concatenate(overlaps)
    whole = right + false / 2 + missed / 2
    seen = whole > 0
    means = [float(one.mean()) if one.size else 0.0 for one in (shares, 2 * shares / (1 + shares))]
    means += [float((one[seen] / whole[seen]).mean()) for one in (right, iou)]
    return dict(zip(("object_iou", "object_dice", "rq", "pq"), means, strict=True))


def sure(image: Scored, least: float = SURE) -> Scored:
    """The image with only the predictions whose score is at least ``least``."""
    assert image.predicted.scores is not None
    count = int((image.predicted.scores >= least).sum())
    runs = None if image.predicted_runs is None else image.predicted_runs[:count]
    return replace(image, predicted=image.predicted[:count], predicted_runs=runs)


def without_masks(image: Scored) -> Scored:
    """The image's boxes alone."""
    return replace(image, truth_runs=None, predicted_runs=None)


def _voc(images: Sequence[Scored], num_classes: int) -> dict[str, float]:
    pair = voc(images, num_classes)
    means = [float(np.nanmean(one)) if np.isfinite(one).any() else float("nan") for one in pair]
    return dict(zip(("voc_ap", "voc_ap_11"), means, strict=True))
