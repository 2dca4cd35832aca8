"""Scores for pixel labels, all from each image's confusion matrix.

The literature calls two different means mIoU; they differ widely on small classes. ``miou`` and ``mdice`` pool
the pixels of the whole data set, as VOC and CamVid do; ``miou_image`` and ``mdice_image`` are means over images.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics import Metric

from vggexp.distributed.device import widest_float
from vggexp.task.metric.counts import confusion, overlap
from vggexp.types import Batch, Prediction


class SegmentationMetrics(Metric):
    """Pooled over the data set: ``miou``, ``mdice``, ``pixel_accuracy``, ``class_accuracy``, ``iou/<class>`` and more.

    ``class_accuracy`` is the mean recall of the classes, ``dice/<class>`` each class's Dice; ``miou_image`` and
    ``mdice_image`` are the means over images.

    A class that occurs neither in truth nor in prediction (of the data set, or of the image for the means over
    images) is left out of the means; its own score is NaN.

    Args:
        classes: the pixel classes' names, by mask label.
    """

    full_state_update = False
    counts: Tensor
    image_total: Tensor
    images: Tensor

    def __init__(self, classes: Sequence[str]):
        super().__init__()
        self.names = tuple(classes)
        size = len(self.names)
        self.add_state("counts", torch.zeros(size, size, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("image_total", torch.zeros(2, dtype=widest_float()), dist_reduce_fx="sum")
        self.add_state("images", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, prediction: Prediction, batch: Batch) -> None:
        """Add a batch: ``mask`` (N, H, W)."""
        counts = confusion(prediction["mask"], batch["mask"], len(self.names))
        self.counts += counts.sum(0)
        scores = torch.stack(overlap(counts)).nanmean(-1)
        self.image_total += scores.nansum(-1)
        self.images += (~scores[0].isnan()).sum()  # an image that is all void has no score

    def compute(self) -> dict[str, Tensor]:
        """Scores, 0 to 1."""
        iou, dice = overlap(self.counts)
        truth, hit = self.counts.sum(1), self.counts.diagonal()
        miou_image, mdice_image = self.image_total / self.images
        scores = {
            "miou": iou.nanmean(),
            "mdice": dice.nanmean(),
            "miou_image": miou_image,
            "mdice_image": mdice_image,
            "pixel_accuracy": hit.sum().to(iou.dtype) / truth.sum(),
            "class_accuracy": (hit.to(iou.dtype) / truth).nanmean(),
        }
        scores |= {f"iou/{name}": score for name, score in zip(self.names, iou, strict=True)}
        scores |= {f"dice/{name}": score for name, score in zip(self.names, dice, strict=True)}
        return {name: score.float() for name, score in scores.items()}
