"""The network for deployment: uint8 images to predictions, including normalisation."""

from typing import cast

from torch import Tensor, nn

from vggexp.types import Backbone, Head, Prediction, Task

MEANING = {
    "label": "the most probable class, an index into `classes`",
    "labels": "for each class, in the order of `classes`: 1 if its probability is above the threshold, else 0",
    "probability": "of each class, in the order of `classes`; beside `label` it sums to 1, beside `labels` it does not",
    "box": "(x, y, h, w): the top-left corner, height and width as shares of the network's image, 0 to 1",
    "box_per_class": "for each class, in the order of `classes`, a box as (x, y, h, w): top-left corner, height, width",
    "mask": "each pixel's class, an index into `mask_classes`",
}
"""The meaning of a prediction's names, for users without vggexp."""


class Network(nn.Module):
    """uint8 RGB images (N, 3, H, W) to the task's ``Prediction``.

    Has no loss, no metrics and no counts of training.
    """

    def __init__(self, backbone: Backbone, head: Head, task: Task) -> None:
        super().__init__()
        self.backbone, self.head = cast(nn.Module, backbone), cast(nn.Module, head)
        self._parts = (backbone, head)
        self._predict = task.predict
        self.eval()

    def forward(self, images: Tensor) -> Prediction:
        """Final predictions: probabilities, boxes in corner format, the mask's labels."""
        backbone, head = self._parts
        return self._predict(head(backbone(backbone.normalize(images), head.reads)))
