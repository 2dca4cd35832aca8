"""An image in one piece; or the mean over the image, its mirror image and other scales of it."""

from collections.abc import Callable, Sequence
from typing import cast

from torch import Tensor
from torchvision.transforms.v2 import functional

from vggexp.types import AveragesViews, Outputs, Prediction, Task

Forward = Callable[[Tensor], Outputs]
"""uint8 images (N, 3, H, W) to the head's outputs."""


class Whole:
    """Test-time augmentation: probabilities, or boxes, are averaged over several views of an image.

    Args:
        flip: each view also mirrored, left and right exchanged.
        scales: factors of the image's size; one view each.
    """

    def __init__(self, flip: bool = False, scales: Sequence[float] = (1.0,)) -> None:
        self.flip, self.scales = flip, tuple(scales)

    @property
    def averages(self) -> bool:
        """Whether there is more to do than to apply the network."""
        return self.flip or self.scales != (1.0,)

    def __call__(self, forward: Forward, task: Task, images: Tensor) -> Prediction:
        """The prediction for uint8 images (N, 3, H, W); boxes and masks are of the images as they came."""
        return task.predict(self.outputs(forward, task, images))

    def outputs(self, forward: Forward, task: Task, images: Tensor) -> Outputs:
        """The head's outputs for the images; of several views what stands for their mean (``AveragesViews``)."""
        if not self.averages:
            return forward(images)
        averaging = cast(AveragesViews, task)
        views: list[Outputs] = []
        for scale in self.scales:
            seen = functional.resize(images, scaled_size(images.shape[-2:], scale)) if scale != 1 else images
            views.append(forward(seen))
            if self.flip:
                views.append(averaging.mirrored(forward(seen.flip(-1))))
        return averaging.mean(views, (images.shape[-2], images.shape[-1]))


def scaled_size(size: Sequence[int], scale: float) -> list[int]:
    """[height, width] at a factor of ``size``.

    >>> scaled_size((64, 45), 1.5)
    [96, 68]
    """
    return [max(round(side * scale), 1) for side in size]
