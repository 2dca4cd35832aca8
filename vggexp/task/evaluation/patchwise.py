"""A network slid over an image: each pixel is the centre of a patch of its own, which the network classifies.

It is what the dense form of the same network replaces (docs/papers/patches.md), kept to compare the two.
"""

import torch
from torch import Tensor

from vggexp.sample.mirror import mirrored
from vggexp.task.evaluation.whole import Forward
from vggexp.types import Outputs, Prediction, Task


class Patchwise:
    """One pass for each pixel. Beyond the image, a patch sees it mirrored.

    Args:
        batch_size: patches that the network takes at once.
        patch_side: side of a patch, pixels, odd.
    """

    def __init__(self, batch_size: int, patch_side: int) -> None:
        self.patch, self.batch_size = patch_side, batch_size

    def __call__(self, forward: Forward, task: Task, images: Tensor) -> Prediction:
        """The pixel classes of uint8 images (N, 3, H, W)."""
        return task.predict(self.outputs(forward, task, images))

    def outputs(self, forward: Forward, task: Task, images: Tensor) -> Outputs:
        """Logits (N, C, H, W): of each patch those of its centre pixel."""
        return torch.stack([self._one(forward, image) for image in images])

    def _one(self, forward: Forward, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        middle = self.patch // 2
        patches = mirrored(image, middle).unfold(-2, self.patch, 1).unfold(-2, self.patch, 1)  # (3, H, W, side, side)
        found = []
        for places in torch.split(torch.arange(height * width, device=image.device), self.batch_size):
            logits = forward(patches[:, places // width, places % width].transpose(0, 1))
            assert isinstance(logits, Tensor)
            found.append(logits[..., middle, middle].float())
        return torch.cat(found).T.reshape(-1, height, width)
