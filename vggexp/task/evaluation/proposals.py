"""Segmentation by parts: each part of a photo is segmented at the network's size, and every pixel takes its maximum.

Noh, Hong & Han, "Learning Deconvolution Network for Semantic Segmentation", arXiv 1505.04366, section 5.
The paper takes 50 boxes of an object detector (edge boxes); here a regular grid of boxes of several sizes.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision.transforms.v2 import functional

from vggexp.task.evaluation.sliding import starts
from vggexp.task.evaluation.whole import Forward
from vggexp.types import Outputs, Prediction, Task


class Proposals:
    """The pixel-wise maximum of the scores over the boxes that contain a pixel.

    Args:
        image_size: (height, width) that the network was trained at.
        batch_size: boxes that the network takes at once.
        shares: sides of the boxes, as shares of the photo's; 1 is the whole photo, which must be among them.
        overlap: share of a box's side that it has in common with the next, at least.
        flip: each box also mirrored; the mean of both counts.

    Raises:
        ValueError: no box is the whole photo, so pixels could be in none.
    """

    def __init__(
        self,
        image_size: Sequence[int],
        batch_size: int,
        shares: Sequence[float] = (1.0, 0.6, 0.4),
        overlap: float = 0.5,
        flip: bool = False,
    ) -> None:
        if 1.0 not in shares or max(shares) > 1:
            raise ValueError(f"evaluation.shares={list(shares)}: give shares of the photo up to 1, with 1.0 among them")
        self.size, self.batch_size = [int(side) for side in image_size], batch_size
        self.shares, self.overlap, self.flip = tuple(shares), overlap, flip

    def __call__(self, forward: Forward, task: Task, images: Tensor) -> Prediction:
        """The pixel classes of uint8 photos (N, 3, H, W) of any size."""
        return task.predict(self.outputs(forward, task, images))

    def outputs(self, forward: Forward, task: Task, images: Tensor) -> Outputs:
        """Logits (N, C, H, W): for each class the maximum over the boxes."""
        return torch.stack([self._one(forward, image) for image in images])

    def boxes(self, height: int, width: int) -> list[tuple[int, int, int, int]]:
        """(top, left, height, width) of each box, the whole photo first."""
        found = []
        for share in sorted(self.shares, reverse=True):
            rows, columns = max(round(height * share), 1), max(round(width * share), 1)
            tops, lefts = starts(height, rows, self.overlap), starts(width, columns, self.overlap)
            found += [(top, left, rows, columns) for top in tops for left in lefts]
        return found

    def _one(self, forward: Forward, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        boxes = self.boxes(height, width)
        best = torch.empty(0)
        for first in range(0, len(boxes), self.batch_size):
            some = boxes[first : first + self.batch_size]
            seen = torch.stack([functional.resized_crop(image, *box, self.size, antialias=True) for box in some])
            for (top, left, rows, columns), scores in zip(some, self._scores(forward, seen), strict=True):
                if not best.numel():
                    best = scores.new_full((len(scores), height, width), float("-inf"))
                back = nn.functional.interpolate(scores[None], (rows, columns), mode="bilinear", align_corners=False)[0]
                part = best[:, top : top + rows, left : left + columns]
                torch.maximum(part, back, out=part)
        return best

    def _scores(self, forward: Forward, seen: Tensor) -> Tensor:
        scores = forward(seen)
        assert isinstance(scores, Tensor)
        if not self.flip:
            return scores.float()
        other = forward(seen.flip(-1))
        assert isinstance(other, Tensor)
        return (scores.float() + other.float().flip(-1)) / 2
