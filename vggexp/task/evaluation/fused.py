"""Several networks as one: their probabilities are averaged (VGG, arXiv 1409.1556, 4.4) or multiplied.

DeconvNet adds FCN's score maps to its own in the paper (arXiv 1505.04366, section 5): the mean; a product lets either
network rule a class out.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from vggexp.task.evaluation.sliding import Sliding
from vggexp.task.evaluation.whole import Forward
from vggexp.types import AveragesViews, GivesOutputs, Outputs, Prediction, Task

Member = tuple[Forward, GivesOutputs | Sliding | None]
"""A network, and how it is applied; None: once and whole."""


class Fused:
    """The prediction of several networks for the same images.

    Args:
        others: the networks besides the one that is handed over with the images.
        own: how that one is applied. In tiles, all networks see the same ones.
        how: "mean" of the probabilities or boxes, or "product" of the probabilities, made to sum to 1.
    """

    def __init__(self, own: GivesOutputs | Sliding | None, others: Sequence[Member], how: str = "mean") -> None:
        self._own, self._others, self._how = own, list(others), how

    def __call__(self, forward: Forward, task: Task, images: Tensor) -> Prediction:
        """The prediction for uint8 images (N, 3, H, W)."""
        members: list[Member] = [(forward, self._own), *self._others]
        if isinstance(self._own, Sliding):
            return self._own(lambda tiles: self._join([one(tiles) for one, _ in members], task, tiles), task, images)
        found = [_applied(one, way, task, images) for one, way in members]
        return task.predict(self._join(found, task, images))

    def _join(self, outputs: Sequence[Outputs], task: Task, images: Tensor) -> Outputs:
        if self._how == "product":
            return product_logits(outputs)
        return cast(AveragesViews, task).mean(outputs, (images.shape[-2], images.shape[-1]))


def _applied(forward: Forward, way: GivesOutputs | Sliding | None, task: Task, images: Tensor) -> Outputs:
    assert not isinstance(way, Sliding)
    return forward(images) if way is None else way.outputs(forward, task, images)


def product_logits(outputs: Sequence[Outputs]) -> Tensor:
    """Logits (N, C, ...) whose softmax is the product of the softmax of each network's, made to sum to 1; float32.

    >>> half, fifth = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.2, 0.8]]).log()
    >>> product_logits([half, fifth]).softmax(1)
    tensor([[0.2000, 0.8000]])
    """
    return torch.stack([each.float().log_softmax(1) for each in outputs if isinstance(each, Tensor)]).sum(0)
