"""Classification: one label per image (VGG, arXiv 1409.1556)."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vggexp.errors import ConfigError
from vggexp.task import drawing
from vggexp.task.diagnostics import classification
from vggexp.task.evaluation.mean_logits import mean_logits
from vggexp.task.targets import balance, tell_absent
from vggexp.types import Batch, DataInfo, Metrics, Outputs, Prediction, Rows


class Classification(nn.Module):
    """Logits (N, C) to one label per image.

    Args:
        info: names the classes.
        loss: of logits (N, C) and labels (N,).
    """

    objective = "top1"
    layer = 2
    """Drawing order in a multitask picture: masks 0, boxes 1, captions 2."""
    count: Tensor

    def __init__(self, info: DataInfo, loss: nn.Module):
        super().__init__()
        if len(info.classes) < 2:
            only = ", ".join(info.classes) or "none"
            raise ConfigError(
                f"task=classification needs two classes or more, and the data has {only}; see data.classes"
            )
        self.names = info.classes
        self.classes: Mapping[str, int] = {"classification": len(self.names)}
        self.criterion = loss
        self.register_buffer("count", torch.zeros(len(self.names), dtype=torch.int64))
        self.register_load_state_dict_post_hook(_balance_again)  # type: ignore[no-untyped-call]

    def loss(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """The loss of logits (N, C)."""
        assert isinstance(outputs, Tensor)
        return {"loss": self.criterion(outputs, batch["label"])}

    def predict(self, outputs: Outputs) -> Prediction:
        """``probability`` (N, C), float32, and the most probable ``label`` (N,)."""
        assert isinstance(outputs, Tensor)
        probability = outputs.float().softmax(1)
        return {"label": probability.argmax(1), "probability": probability}

    def mirrored(self, outputs: Outputs) -> Outputs:
        """The same: a class has no side."""
        return outputs

    def mean(self, views: Sequence[Outputs], size: tuple[int, int]) -> Outputs:
        """Logits (N, C) whose probabilities are the mean of the views'."""
        return mean_logits(list(views))

    def metrics(self) -> Metrics:
        """``top1``, ``top5``, ``f1`` and ``f1/<class>``."""
        from vggexp.task.metric.classification import ClassificationMetrics  # torchmetrics takes a second

        return ClassificationMetrics(self.names)

    def observe(self, batch: Batch) -> None:
        """Count the labels."""
        self.count += batch["label"].bincount(minlength=len(self.names)).to(self.count.device)

    def finish_observing(self) -> None:
        """Tell which classes never occur, and balance the loss by frequency. Without observations, do nothing."""
        if self.count.any():
            tell_absent(self.criterion, self.count, self.names, "class")
            balance(self.criterion, self.count / self.count.sum())

    def baseline(self, batch: Batch) -> Prediction:
        """Predict the training split's class frequencies for every image: top-1 is the most frequent class."""
        share = (self.count / self.count.sum()).to(batch["index"].device)
        probability = share.expand(len(batch["index"]), -1)
        return {"label": probability.argmax(1), "probability": probability}

    def rows(self, prediction: Prediction, batch: Batch) -> Rows:
        """Each image's label and probabilities."""
        return {"classification": classification.rows(prediction, batch)}

    def diagnostics(self, rows: Rows) -> dict[str, Any]:
        """The confusion matrix and one precision-recall curve per class."""
        return {"classification": classification.diagnostics(rows["classification"], self.names)}

    def draw(self, image: Tensor, values: Mapping[str, Tensor]) -> Tensor:
        """Write the class below the image and, for a prediction, its probability."""
        label = int(values["label"])
        text = self.names[label]
        if "probability" in values:
            text += f" ({values['probability'][label]:.0%})"
        return drawing.caption(drawing.legible(image), text)


def _balance_again(task: Classification, incompatible_keys: Any) -> None:
    """Compute the class weights again: a checkpoint holds the counts, not the weights."""
    task.finish_observing()
