"""Multi-label classification: any number of classes per image, none too."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from vggexp.errors import ConfigError, DataError, require_share
from vggexp.task import drawing
from vggexp.task.diagnostics import multilabel
from vggexp.task.targets import balance, tell_absent
from vggexp.types import Batch, DataInfo, Metrics, Outputs, Prediction, Rows


class Multilabel(nn.Module):
    """Logits (N, C) to the classes that each image shows.

    Args:
        info: names the classes.
        loss: of logits (N, C) and labels (N, C).
        threshold: a class is predicted if its probability is above this. Average precision does not depend on it.
    """

    objective = "map"
    layer = 2
    """Drawing order in a multitask picture: masks 0, boxes 1, captions 2."""
    count: Tensor
    images: Tensor

    def __init__(self, info: DataInfo, loss: nn.Module, threshold: float = 0.5):
        super().__init__()
        require_share("task.threshold", threshold, below_one=True)
        if not info.classes:
            raise ConfigError("task=multilabel needs a class, and the data has none; see data.classes")
        self.names = info.classes
        self.classes: Mapping[str, int] = {"multilabel": len(self.names)}
        self.criterion = loss
        self.threshold = threshold
        self.register_buffer("count", torch.zeros(len(self.names), dtype=torch.int64))
        self.register_buffer("images", torch.tensor(0))
        self.register_load_state_dict_post_hook(_balance_again)  # type: ignore[no-untyped-call]

    def loss(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """The loss of logits (N, C)."""
        assert isinstance(outputs, Tensor)
        return {"loss": self.criterion(outputs, batch["labels"])}

    def predict(self, outputs: Outputs) -> Prediction:
        """``probability`` (N, C), float32, and ``labels`` (N, C), uint8: 1 where it is above the threshold."""
        assert isinstance(outputs, Tensor)
        return self._decided(outputs.float().sigmoid())

    def metrics(self) -> Metrics:
        """``map``, ``f1`` and ``ap/<class>``."""
        from vggexp.task.metric.multilabel import MultilabelMetrics  # torchmetrics takes a second

        return MultilabelMetrics(self.names)

    def observe(self, batch: Batch) -> None:
        """Count the images that show each class."""
        self.count += (batch["labels"] == 1).sum(0).to(self.count.device)
        self.images += len(batch["labels"])

    def finish_observing(self) -> None:
        """Tell which classes never occur, and balance the loss by frequency. Without observations, do nothing.

        Raises:
            DataError: no class occurs, or the loss balances and a class does not.
        """
        if not self.images:
            return
        if not self.count.any():
            raise DataError("no image of the training split shows any class; see data.classes")
        tell_absent(self.criterion, self.count, self.names, "class")
        balance(self.criterion, self.count / self.images)

    def baseline(self, batch: Batch) -> Prediction:
        """Predict for every image the share of the training images that show each class."""
        share = (self.count / self.images).to(batch["index"].device)
        return self._decided(share.expand(len(batch["index"]), -1))

    def rows(self, prediction: Prediction, batch: Batch) -> Rows:
        """Each image's classes and probabilities, and the F1 of its classes."""
        return {"multilabel": multilabel.rows(prediction, batch)}

    def diagnostics(self, rows: Rows) -> dict[str, Any]:
        """A table of the classes, and one precision-recall curve per class."""
        return {"multilabel": multilabel.diagnostics(rows["multilabel"], self.names)}

    def draw(self, image: Tensor, values: Mapping[str, Tensor]) -> Tensor:
        """Write the classes below the image and, for a prediction, their probabilities, the most probable first."""
        labels = (values["labels"] == 1).nonzero()[:, 0].tolist()
        texts = [self.names[label] for label in labels]
        if "probability" in values:
            share = values["probability"]
            labels.sort(key=lambda label: -float(share[label]))
            texts = [f"{self.names[label]} ({share[label]:.0%})" for label in labels]
        return drawing.caption(drawing.legible(image), ", ".join(texts) or "no class")

    def _decided(self, probability: Tensor) -> Prediction:
        return {"labels": (probability > self.threshold).to(torch.uint8), "probability": probability}


def _balance_again(task: Multilabel, incompatible_keys: Any) -> None:
    """Compute the class weights again: a checkpoint holds the counts, not the weights."""
    task.finish_observing()
