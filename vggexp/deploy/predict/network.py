"""The network for deployment: uint8 images to predictions, including normalisation."""

from typing import Any, Protocol, cast, runtime_checkable

from torch import Tensor, nn

from vggexp.head.parallel import Parallel
from vggexp.types import Backbone, Features, Head, Prediction, Task

MEANING = {
    "label": "the most probable class, an index into `classes`",
    "labels": "for each class, in the order of `classes`: 1 if its probability is above the threshold, else 0",
    "probability": "of each class, in the order of `classes`; beside `label` it sums to 1, beside `labels` it does not",
    "box": "(x, y, h, w): the top-left corner, height and width as shares of the network's image, 0 to 1",
    "box_per_class": "for each class, in the order of `classes`, a box as (x, y, h, w): top-left corner, height, width",
    "mask": "each pixel's class, an index into `mask_classes`",
    "object_boxes": "a slot for each object, the most certain first: left, top, right, bottom in the input's pixels",
    "object_labels": "of each slot: an index into `classes`",
    "object_scores": "of each slot, 0 to 1; 0: the slot is empty, and so are all after it",
    "object_masks": "of each slot: probability of the object on a grid over its box, at least 0.5 where the object is",
}
"""The meaning of a prediction's names, for users without vggexp."""


@runtime_checkable
class Pads(Protocol):
    """A detection head: how many objects it finds differs, and a graph has tensors of one shape."""

    def padded(self, features: Features) -> Any:
        """The objects in a fixed number of slots an image (``head.detection.padded.Padded``)."""


class Network(nn.Module):
    """uint8 RGB images (N, 3, H, W) to the task's ``Prediction``; a detector's objects are in slots.

    Has no loss, no metrics and no counts of training.
    """

    def __init__(self, backbone: Backbone, head: Head, task: Task) -> None:
        super().__init__()
        self.backbone, self.head = cast(nn.Module, backbone), cast(nn.Module, head)
        self._parts = (backbone, head)
        self._predict = task.predict
        self.eval()

    def forward(self, images: Tensor) -> Prediction:
        """Final predictions: probabilities, boxes in corner format, the mask's labels; or ``Padded.tensors``."""
        backbone, head = self._parts
        return self._predict(_in_slots(head, backbone(backbone.normalize(images), head.reads)))

    def run(self, images: Tensor) -> Prediction:
        """What the run predicts for these images, as the task says it."""
        backbone, head = self._parts
        return self._predict(head(backbone(backbone.normalize(images), head.reads)))


def _in_slots(head: Head, features: Features) -> Any:
    """The head's output; of a detector, alone or as one of several heads, ``Padded.tensors``."""
    if isinstance(head, Pads):
        return head.padded(features).tensors()
    if isinstance(head, Parallel):
        return {name: _in_slots(cast(Head, part), features) for name, part in head.part.items()}
    return head(features)
