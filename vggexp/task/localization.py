"""Localization: one box per image, or one per class (VGG, appendix A: single- and per-class regression)."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vggexp import boxes
from vggexp.boxes import Format, of_label
from vggexp.distributed.device import widest_float
from vggexp.errors import ConfigError
from vggexp.task import drawing
from vggexp.task.diagnostics import localization
from vggexp.types import Batch, DataInfo, Metrics, Outputs, Prediction, Rows


class Localization(nn.Module):
    """Outputs (N, 4), one box per image, or (N, C, 4), one per class, to boxes.

    With one box per class, loss and scores use the true label's box ("with the true class given").

    Args:
        info: names the classes.
        loss: called as ``loss(outputs, target, format)``, with boxes (N, 4) in that format.
        format: the meaning of the network's (x, y): the box's top-left "corner" or its "center". Everything else uses
            "corner".
    """

    objective = "box_iou"
    layer = 1
    """Drawing order in a multitask picture: masks 0, boxes 1, captions 2."""
    box_sum: Tensor
    count: Tensor

    def __init__(self, info: DataInfo, loss: nn.Module, format: Format = "corner"):
        super().__init__()
        if format not in ("corner", "center"):
            raise ConfigError(f"task.format is '{format}'; choose from: corner, center")
        self.classes: Mapping[str, int] = {"localization": len(info.classes)}
        self.criterion = loss
        self.format = format
        self.register_buffer("box_sum", torch.zeros(4, dtype=widest_float()))
        self.register_buffer("count", torch.tensor(0))

    def loss(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """The loss in the task's box format; the lecture's squared loss depends on the format."""
        assert isinstance(outputs, Tensor)
        if outputs.ndim == 3:
            if "label" not in batch:
                raise ConfigError("a head with one box per class also needs the labels; set task.needs=[box,label]")
            outputs = of_label(outputs, batch["label"])
        target = boxes.convert(batch["box"].float(), "corner", self.format)
        return {"loss": self.criterion(outputs, target, self.format)}

    def predict(self, outputs: Outputs) -> Prediction:
        """``box`` (N, 4), or ``box_per_class`` (N, C, 4), from which the caller chooses by label."""
        assert isinstance(outputs, Tensor)
        box = boxes.convert(outputs.float(), self.format, "corner")
        return {"box" if box.ndim == 2 else "box_per_class": box}

    def mirrored(self, outputs: Outputs) -> Outputs:
        """Boxes on the other side of the image; their sizes and heights stay."""
        assert isinstance(outputs, Tensor)
        x, y, h, w = outputs.unbind(-1)
        return torch.stack((1 - x - w if self.format == "corner" else 1 - x, y, h, w), -1)

    def mean(self, views: Sequence[Outputs], size: tuple[int, int]) -> Outputs:
        """The mean of each coordinate."""
        return torch.stack([view for view in views if isinstance(view, Tensor)]).mean(0)

    def metrics(self) -> Metrics:
        """``box_iou``, ``box_dice`` and ``box_accuracy``."""
        from vggexp.task.metric.box import BoxMetrics  # torchmetrics takes a second

        return BoxMetrics()

    def observe(self, batch: Batch) -> None:
        """Sum the boxes."""
        self.box_sum += batch["box"].to(self.box_sum.dtype).sum(0).to(self.box_sum.device)
        self.count += len(batch["box"])

    def finish_observing(self) -> None:
        """Do nothing: boxes have no classes that could be missing."""

    def baseline(self, batch: Batch) -> Prediction:
        """Predict the mean box of the training split, which minimises the squared loss."""
        mean = (self.box_sum / self.count).float().to(batch["index"].device)
        return {"box": mean.expand(len(batch["index"]), -1)}

    def rows(self, prediction: Prediction, batch: Batch) -> Rows:
        """Each image's true box, predicted box and their IoU."""
        return {"localization": localization.rows(prediction, batch)}

    def diagnostics(self, rows: Rows) -> dict[str, Any]:
        """The histogram of the IoUs."""
        return {"localization": localization.diagnostics(rows["localization"])}

    def draw(self, image: Tensor, values: Mapping[str, Tensor]) -> Tensor:
        """Outline the box. With one box per class and no label to choose by, draw nothing."""
        image = drawing.legible(image)
        return drawing.draw_box(image, values["box"]) if "box" in values else image
