"""Counts of how predictions and truth agree: confusion, IoU, Dice and F1 as functions of tensors. No torchmetrics."""

import torch
from torch import Tensor

from vggexp.distributed.device import widest_float
from vggexp.errors import DataError
from vggexp.types import VOID


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


def f1(predicted: Tensor, truth: Tensor, dim: int = 0) -> Tensor:
    """F1 over a dimension of bool (N, C): 0 of each class, 1 of each image; NaN where both are empty."""
    hits = (predicted & truth).sum(dim)
    return 2 * hits / (predicted.sum(dim) + truth.sum(dim))
