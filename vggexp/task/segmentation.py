"""Semantic segmentation: one label per pixel."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vggexp.errors import DataError
from vggexp.task import drawing
from vggexp.task.diagnostics import segmentation
from vggexp.task.evaluation.mean_logits import mean_logits
from vggexp.task.targets import balance, tell_absent
from vggexp.types import VOID, Batch, DataInfo, Metrics, Outputs, Prediction, Rows


class Segmentation(nn.Module):
    """Logits (N, C, H, W) to masks.

    Args:
        info: names the pixel classes.
        loss: of logits (N, C, H, W) and masks (N, H, W), uint8, whose VOID pixels the loss ignores.
    """

    objective = "miou"
    layer = 0
    """Drawing order in a multitask picture: masks 0, boxes 1, captions 2."""
    pixels: Tensor
    pixels_where_present: Tensor

    def __init__(self, info: DataInfo, loss: nn.Module):
        super().__init__()
        self.names = info.mask_classes
        if not self.names:
            raise DataError("this data set names no pixel classes; segmentation needs data with masks")
        self.classes: Mapping[str, int] = {"segmentation": len(self.names)}
        self.criterion = loss
        self.register_buffer("pixels", torch.zeros(len(self.names), dtype=torch.int64))
        self.register_buffer("pixels_where_present", torch.zeros(len(self.names), dtype=torch.int64))
        self.register_load_state_dict_post_hook(_balance_again)  # type: ignore[no-untyped-call]

    def loss(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """The loss of logits (N, C, H, W)."""
        assert isinstance(outputs, Tensor)
        return {"loss": self.criterion(outputs, batch["mask"])}

    def predict(self, outputs: Outputs) -> Prediction:
        """The most probable class of each pixel: ``mask`` (N, H, W), uint8, never VOID."""
        assert isinstance(outputs, Tensor)
        return {"mask": outputs.argmax(1).to(torch.uint8)}

    def mirrored(self, outputs: Outputs) -> Outputs:
        """Logits with left and right exchanged."""
        assert isinstance(outputs, Tensor)
        return outputs.flip(-1)

    def mean(self, views: Sequence[Outputs], size: tuple[int, int]) -> Outputs:
        """Logits (N, C, *size) whose probabilities are the mean of the views'; those of another size are resized."""
        return mean_logits([_at_size(view, size) for view in views])

    def metrics(self) -> Metrics:
        """``miou``, ``mdice``, their means over images, the accuracies, and each class's IoU and Dice."""
        from vggexp.task.metric.segmentation import SegmentationMetrics  # torchmetrics takes a second

        return SegmentationMetrics(self.names)

    def observe(self, batch: Batch) -> None:
        """Count each class's pixels, and all pixels of the images that contain it."""
        counts, size = _count(batch["mask"])[:, : len(self.names)], batch["mask"][0].numel()
        self.pixels += counts.sum(0).to(self.pixels.device)
        # All pixels, void included, as in SegNet: this gives its published weight of 1.0974 for void on CamVid.
        self.pixels_where_present += ((counts > 0).sum(0) * size).to(self.pixels.device)

    def finish_observing(self) -> None:
        """Tell which classes never occur, and balance the loss by frequency. Without observations, do nothing."""
        if self.pixels.any():
            tell_absent(self.criterion, self.pixels, self.names, "pixel class")
            balance(self.criterion, self.pixels / self.pixels_where_present)

    def baseline(self, batch: Batch) -> Prediction:
        """Predict the most frequent pixel class of the training split for every pixel."""
        truth = batch["mask"]
        label = self.pixels.argmax().to(truth.device, torch.uint8)
        return {"mask": label.expand(truth.shape)}

    def rows(self, prediction: Prediction, batch: Batch) -> Rows:
        """Each image's confusion matrix of pixels, its mean IoU and its mean Dice."""
        return {"segmentation": segmentation.rows(prediction, batch, len(self.names))}

    def diagnostics(self, rows: Rows) -> dict[str, Any]:
        """The confusion matrix of pixels over all images."""
        return {"segmentation": segmentation.diagnostics(rows["segmentation"], self.names)}

    def draw(self, image: Tensor, values: Mapping[str, Tensor]) -> Tensor:
        """Blend each class's colour over its pixels, and gray over void."""
        return drawing.blend_mask(drawing.legible(image), values["mask"], len(self.names))


def _at_size(logits: Outputs, size: tuple[int, int]) -> Tensor:
    assert isinstance(logits, Tensor)
    if tuple(logits.shape[-2:]) == size:
        return logits
    return nn.functional.interpolate(logits.float(), size, mode="bilinear", antialias=True)


def _count(mask: Tensor) -> Tensor:
    """Pixels of each possible label in each image: uint8 (N, H, W) to (N, 256)."""
    image = torch.arange(len(mask), device=mask.device).view(-1, 1, 1)
    counts = (image * (VOID + 1) + mask).flatten().bincount(minlength=len(mask) * (VOID + 1))
    return counts.view(len(mask), VOID + 1)


def _balance_again(task: Segmentation, incompatible_keys: Any) -> None:
    """Compute the class weights again: a checkpoint holds the counts, not the weights."""
    task.finish_observing()
