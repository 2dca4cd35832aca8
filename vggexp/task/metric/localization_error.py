"""ImageNet's localization error: a class and its box must both be right (VGG, arXiv 1409.1556, appendix A)."""

import torch
from torch import Tensor
from torchmetrics import Metric

from vggexp import boxes
from vggexp.boxes import of_label
from vggexp.types import Batch, Prediction

SEVERAL = 5


class LocalizationError(Metric):
    """Shares of images, 0 to 1, lower is better: ``box_error_top1``, ``box_error_top5``, ``box_error_true_class``.

    A box is right if its IoU with the true box is above 0.5. Top-1: the most probable class is right, and its box too.
    Top-5, of more than five classes: one of the five most probable classes is right, and its box too. With the true
    class given, that class's box alone is judged. With one box for all classes, it is the box of each.
    """

    full_state_update = False
    wrong: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("wrong", torch.zeros(3, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("classes", torch.tensor(0), dist_reduce_fx="max")
        self.classes: Tensor

    def update(self, prediction: Prediction, batch: Batch) -> None:
        """Add a batch: ``probability`` (N, C), and ``box_per_class`` (N, C, 4) or ``box`` (N, 4) in corner format."""
        label, probability = batch["label"], prediction["probability"]
        several = "box_per_class" in prediction
        own = of_label(prediction["box_per_class"], label) if several else prediction["box"]
        right = boxes.iou(own.float(), batch["box"].float()) > 0.5
        likely = probability.topk(min(SEVERAL, probability.shape[1]), 1).indices
        among = (likely == label[:, None]).any(1)
        self.wrong += torch.stack([~(right & (prediction["label"] == label)), ~(right & among), ~right]).sum(1)
        self.count += len(label)
        self.classes = torch.maximum(self.classes, torch.full_like(self.classes, probability.shape[1]))

    def compute(self) -> dict[str, Tensor]:
        """The errors; NaN if there was no image."""
        found = zip(("top1", "top5", "true_class"), self.wrong.double() / self.count, strict=True)
        return {f"box_error_{name}": error.float() for name, error in found if name != "top5" or self.classes > SEVERAL}
