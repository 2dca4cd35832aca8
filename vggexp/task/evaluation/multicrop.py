"""VGG's multi-crop evaluation: a regular grid of crops, each also mirrored (arXiv 1409.1556, sections 3.2 and 4.3).

With the paper's 5 x 5 crops and their mirror images there are 50 of each scale, 150 of three.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from vggexp.task.evaluation.mean_logits import mean_logits
from vggexp.task.evaluation.sides import at_side, crops, default_sides
from vggexp.task.evaluation.whole import Forward
from vggexp.types import Outputs, Prediction, Task


class Multicrop:
    """The mean of the class probabilities of all crops of a photo.

    Args:
        image_size: (height, width) of a crop, which the network was trained at.
        batch_size: crops that the network takes at once.
        sides: lengths of the photo's shorter side, the paper's Q; None: 256/224 of the longer side of ``image_size``.
        grid: crops along each side.
        flip: each crop also mirrored.
    """

    def __init__(
        self,
        image_size: Sequence[int],
        batch_size: int,
        sides: Sequence[int] | None = None,
        grid: int = 5,
        flip: bool = True,
    ) -> None:
        self.image_size, self.batch_size = tuple(image_size), batch_size
        self.sides = tuple(sides or default_sides(image_size))
        self.grid, self.flip = grid, flip

    def __call__(self, forward: Forward, task: Task, images: Tensor) -> Prediction:
        """The classes of uint8 photos (N, 3, H, W) of any size."""
        return task.predict(self.outputs(forward, task, images))

    def outputs(self, forward: Forward, task: Task, images: Tensor) -> Outputs:
        """Logits (N, C) of the mean of the probabilities."""
        views: list[Tensor] = []
        for side in self.sides:
            seen = crops(at_side(images, side), self.image_size, self.grid)
            views += [*seen, *(crop.flip(-1) for crop in seen)] if self.flip else seen
        step = max(self.batch_size // len(images), 1)
        found: list[Outputs] = []
        for first in range(0, len(views), step):
            some = views[first : first + step]
            logits = forward(torch.cat(some))
            assert isinstance(logits, Tensor)
            found += logits.chunk(len(some))
        return mean_logits(found)
