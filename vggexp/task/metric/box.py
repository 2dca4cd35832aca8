"""Scores for one box per image: each prediction is compared with the true box of its image."""

import torch
from torch import Tensor
from torchmetrics import Metric

from vggexp import boxes
from vggexp.boxes import of_label
from vggexp.distributed.device import widest_float
from vggexp.types import Batch, Prediction


class BoxMetrics(Metric):
    """Means over images: ``box_iou``, ``box_dice``, and ``box_accuracy``, the share of images with IoU above 0.5.

    With one box per class, the true class's box is scored ("with the true class given": VGG, appendix A).
    """

    full_state_update = False
    total: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        # A float32 sum over a large data set loses the digits that tell two runs apart.
        self.add_state("total", torch.zeros(3, dtype=widest_float()), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, prediction: Prediction, batch: Batch) -> None:
        """Add a batch: ``box`` (N, 4), or the true label's box of ``box_per_class`` (N, C, 4); all in corner format."""
        truth = batch["box"].float()
        box = prediction["box"] if "box" in prediction else of_label(prediction["box_per_class"], batch["label"])
        iou = boxes.iou(box.float(), truth)
        scores = torch.stack((iou, boxes.dice(box.float(), truth), (iou > 0.5).float()))
        self.total += scores.to(self.total.dtype).sum(1)
        self.count += len(truth)

    def compute(self) -> dict[str, Tensor]:
        """Scores, 0 to 1; NaN if there was no box."""
        mean = (self.total / self.count).float()
        return dict(zip(("box_iou", "box_dice", "box_accuracy"), mean, strict=True))
