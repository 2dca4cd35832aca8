"""VGG's best evaluation: the mean of the dense and the multi-crop probabilities (arXiv 1409.1556, table 5)."""

from collections.abc import Sequence

from torch import Tensor

from vggexp.task.evaluation.dense import Dense, Maps
from vggexp.task.evaluation.mean_logits import mean_logits
from vggexp.task.evaluation.multicrop import Multicrop
from vggexp.task.evaluation.whole import Forward
from vggexp.types import Outputs, Prediction, Task


class Both:
    """The two complement each other: at a crop's border the network sees zeros, at a photo's position its surroundings.

    Args:
        image_size, batch_size, sides, grid, flip: see ``Multicrop``.
        maps: see ``Dense``.
    """

    def __init__(
        self,
        image_size: Sequence[int],
        batch_size: int,
        maps: Maps,
        sides: Sequence[int] | None = None,
        grid: int = 5,
        flip: bool = True,
    ) -> None:
        self._ways = (Dense(image_size, maps, sides, flip), Multicrop(image_size, batch_size, sides, grid, flip))

    def __call__(self, forward: Forward, task: Task, images: Tensor) -> Prediction:
        """The classes of uint8 photos (N, 3, H, W) of any size."""
        return task.predict(self.outputs(forward, task, images))

    def outputs(self, forward: Forward, task: Task, images: Tensor) -> Outputs:
        """Logits (N, C) of the mean of the probabilities."""
        return mean_logits([way.outputs(forward, task, images) for way in self._ways])
