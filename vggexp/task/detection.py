"""Detection: several objects an image, any number, none too; a box, a class and a score for each."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from vggexp.errors import ConfigError, DataError
from vggexp.task import drawing
from vggexp.task.common_objects import MOST, common_objects, filled
from vggexp.task.diagnostics import objects as diagnostics
from vggexp.task.matching import SURE
from vggexp.task.metric.objects import ObjectMetrics
from vggexp.task.metric.scored import best_first, of_image
from vggexp.types import Batch, DataInfo, ObjectList, Objects, Outputs, Prediction, Rows


class Detection(nn.Module):
    """What a head found to the objects of each image. The head computes the losses: they depend on what it found.

    Args:
        info: names the classes.
        loss: adds up the head's losses.
    """

    objective = "map_50"
    layer = 1
    """Drawing order in a multitask picture: masks 0, boxes 1, captions 2."""
    name = "detection"
    masks = False
    """Whether objects have masks."""
    common_boxes: Tensor
    common_labels: Tensor
    common_scores: Tensor

    def __init__(self, info: DataInfo, loss: nn.Module):
        super().__init__()
        if not info.classes:
            raise ConfigError(f"task={self.name} needs a class, and the data has none; see data.classes")
        self.names = info.classes
        self.classes: Mapping[str, int] = {self.name: len(self.names)}
        self.criterion = loss
        self._seen: list[Objects] = []
        self._images = 0
        self.register_buffer("common_boxes", torch.zeros(MOST, 4))
        self.register_buffer("common_labels", torch.zeros(MOST, dtype=torch.int64))
        self.register_buffer("common_scores", torch.zeros(MOST))

    def loss(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """The sum of the head's losses, and each of them; nothing in evaluation, where a head says what it found."""
        if isinstance(outputs, ObjectList):
            return {}
        assert isinstance(outputs, dict)
        parts = {f"loss_{name}": loss.detach() for name, loss in outputs.items()}
        return {"loss": self.criterion(outputs)} | parts

    def predict(self, outputs: Outputs) -> Prediction:
        """``objects`` of each image, with scores; an exported graph's slots, tensors by name, as they are."""
        if not isinstance(outputs, ObjectList):
            assert isinstance(outputs, dict)
            return dict(outputs)
        return {"objects": outputs}

    def metrics(self) -> ObjectMetrics:
        """``map``, ``map_50`` and others."""
        return ObjectMetrics(self.names, self.masks)

    def observe(self, batch: Batch) -> None:
        """Keep the boxes and labels of the objects that count."""
        for objects in batch["objects"]:
            kept = objects[objects.counted()]
            self._seen.append(Objects(kept.boxes.cpu(), kept.labels.cpu()))
        self._images += len(batch["objects"])

    def finish_observing(self) -> None:
        """Find the commonest objects. Without observations, do nothing.

        Raises:
            DataError: no image shows an object.
        """
        if not self._images:
            return
        if not any(map(len, self._seen)):
            raise DataError("no image of the training split shows an object; see data.classes")
        common = common_objects(self._seen, self._images)
        assert common.scores is not None
        for buffer, found in (
            (self.common_boxes, common.boxes),
            (self.common_labels, common.labels),
            (self.common_scores, common.scores),
        ):
            buffer.zero_()[: len(found)] = found.to(buffer)
        self._seen, self._images = [], 0

    def baseline(self, batch: Batch) -> Prediction:
        """Predict the training split's commonest objects for every image, each with its frequency as score."""
        device = batch["index"].device
        here = (self.common_scores > 0).nonzero()[:, 0]
        common = Objects(self.common_boxes[here], self.common_labels[here], scores=self.common_scores[here]).to(device)
        if self.masks:
            masks = batch["objects"][0].masks
            assert masks is not None
            common = filled(common, (masks.shape[-2], masks.shape[-1]))
        return {"objects": ObjectList([common] * len(batch["index"]))}

    def rows(self, prediction: Prediction, batch: Batch) -> Rows:
        """How each image's objects were found."""
        return {self.name: diagnostics.rows(prediction, batch, self.masks)}

    def diagnostics(self, rows: Rows) -> dict[str, Any]:
        """What is made of the rows of many images: confusions, curves, kinds of error."""
        return {self.name: diagnostics.diagnostics(rows[self.name], self.names)}

    def draw(self, image: Tensor, values: Mapping[str, Any]) -> Tensor:
        """Outline each object, with its class and, for a prediction, its score; tint its mask."""
        size = values.get("size", (image.shape[-2], image.shape[-1]))
        return drawing.draw_objects(drawing.legible(image), values["objects"], self.names, size=size)

    def draw_both(self, image: Tensor, truth: Mapping[str, Any], guess: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        """The true objects and the sure predictions, in colours that say what was matched, missed and false."""
        actual, found = truth["objects"], best_first(guess["objects"])
        assert found.scores is not None
        found = found[found.scores >= SURE]
        words = diagnostics.statuses(of_image(0, actual, found, self.masks))
        size, large = (image.shape[-2], image.shape[-1]), drawing.legible(image)
        true, predicted = (
            drawing.draw_objects(large, objects, self.names, [drawing.STATUS[word] for word in status], size)
            for objects, status in zip((actual, found), words, strict=True)
        )
        return true, predicted
