"""Scores for pixel labels, all from each image's confusion matrix.

The literature calls two different means mIoU; they differ widely on small classes. ``miou`` and ``mdice`` pool
the pixels of the whole data set, as VOC and CamVid do; ``miou_image`` and ``mdice_image`` are means over images.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics import Metric

from vggexp.distributed.device import widest_float
from vggexp.errors import DataError
from vggexp.types import VOID, Batch, Prediction


def confusion(prediction: Tensor, target: Tensor, num_classes: int) -> Tensor:
    """Confusion matrix of each image: masks (N, H, W) to counts (N, C, C), [image, truth, prediction], int64.

    VOID pixels of the target are ignored.

    >>> confusion(torch.tensor([[[0, 1, 1]]]), torch.tensor([[[0, 0, 255]]]), num_classes=2)
    tensor([[[1, 1],
             [0, 0]]])
    """
    prediction, truth = prediction.long(), target.long()
    void = truth == VOID
    if (wrong := truth[~void & (truth >= num_classes)]).numel():
        raise DataError(f"mask label {wrong[0]} is none of the {num_classes} classes, nor {VOID} for void")
    # Void pixels go to an extra row, removed below: cheaper than selecting the other pixels.
    rows = num_classes + 1
    image = torch.arange(len(truth), device=truth.device).view(-1, 1, 1)
    cell = (image * rows + truth.masked_fill(void, num_classes)) * num_classes + prediction
    counts = torch.bincount(cell.flatten(), minlength=len(truth) * rows * num_classes)
    return counts.view(-1, rows, num_classes)[:, :num_classes]


def overlap(counts: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and Dice of each class: (..., C, C) to two of (..., C), float64; NaN for a class that is absent from both.

    >>> iou, dice = overlap(torch.tensor([[5, 5], [5, 0]]))
    >>> iou[0], dice[0]
    (tensor(0.3333, dtype=torch.float64), tensor(0.5000, dtype=torch.float64))
    """
    hit = counts.diagonal(dim1=-2, dim2=-1).to(widest_float())
    both = (counts.sum(-1) + counts.sum(-2)).to(widest_float())
    return hit / (both - hit), 2 * hit / both


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
