"""VGG's dense evaluation: the dense layers as convolutions over the whole photo (arXiv 1409.1556, section 3.2).

Of a photo as large as a training crop, the map of class scores has one cell: the head's own scores.
"""

from collections.abc import Callable, Sequence

from torch import Tensor

from vggexp.task.evaluation.mean_logits import mean_logits
from vggexp.task.evaluation.sides import at_side, default_sides
from vggexp.task.evaluation.whole import Forward
from vggexp.types import Outputs, Prediction, Task

Maps = Callable[[Tensor], Tensor]
"""uint8 images (N, 3, H, W) to a map of the head's outputs (N, C, h, w), one for each position of its window."""


class Dense:
    """The mean over scales and mirror images of the softmax of the spatially averaged scores.

    Args:
        image_size: (height, width) that the network was trained at.
        maps: the network as convolutions.
        sides, flip: see ``Multicrop``.
    """

    def __init__(
        self, image_size: Sequence[int], maps: Maps, sides: Sequence[int] | None = None, flip: bool = True
    ) -> None:
        self.maps, self.flip = maps, flip
        self.sides = tuple(sides or default_sides(image_size))

    def __call__(self, forward: Forward, task: Task, images: Tensor) -> Prediction:
        """The classes of uint8 photos (N, 3, H, W) of any size."""
        return task.predict(self.outputs(forward, task, images))

    def outputs(self, forward: Forward, task: Task, images: Tensor) -> Outputs:
        """Logits (N, C) of the mean of the probabilities."""
        views: list[Outputs] = []
        for side in self.sides:
            seen = at_side(images, side)
            views += [self.maps(each).float().mean((-2, -1)) for each in (seen, seen.flip(-1))[: 1 + self.flip]]
        return mean_logits(views)
