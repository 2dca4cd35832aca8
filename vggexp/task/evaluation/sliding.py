"""A photo of any size in tiles of the network's size: logits are blended where tiles overlap.

The tiles cover the photo in rows. Of the logits only one row of tiles is held at a time, on the CPU: once no later
tile reaches a band of pixels, its classes are final. So memory grows with the photo's width, not with its height.
"""

import math
from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from vggexp.sample.resize import GRAY
from vggexp.task.evaluation.whole import Forward, Whole
from vggexp.types import Outputs, Prediction, Task


class Sliding:
    """Segmentation in overlapping tiles.

    Args:
        image_size: (height, width) that the network was trained at.
        batch_size: tiles that the network takes at once.
        tile: (height, width) of a tile in pixels of the photo; None: ``image_size``.
        overlap: share of a tile's side that it has in common with the next, at least.
        flip, scales: for each tile, see ``Whole``.
    """

    def __init__(
        self,
        image_size: Sequence[int],
        batch_size: int,
        tile: Sequence[int] | None = None,
        overlap: float = 0.5,
        flip: bool = False,
        scales: Sequence[float] = (1.0,),
    ) -> None:
        height, width = tile or image_size
        self.tile, self.overlap, self.batch_size = (height, width), overlap, batch_size
        self._views = Whole(flip, scales)

    @property
    def averages(self) -> bool:
        """Whether a tile is seen in several views."""
        return self._views.averages

    def __call__(self, forward: Forward, task: Task, images: Tensor) -> Prediction:
        """The pixel classes of uint8 photos (N, 3, H, W), on the photos' device."""
        found = [self._one(partial(self._views.outputs, forward, task), task, image) for image in images]
        return {name: torch.stack([each[name] for each in found]).to(images.device) for name in found[0]}

    def _one(self, outputs: Forward, task: Task, image: Tensor) -> Prediction:
        height, width = image.shape[-2:]
        missing = [max(wanted - side, 0) for wanted, side in zip(self.tile, (height, width), strict=True)]
        if any(missing):
            image = nn.functional.pad(image, (0, missing[1], 0, missing[0]), value=GRAY)
        bands = [task.predict(band[None]) for band in self.bands(outputs, image)]
        return {name: torch.cat([band[name] for band in bands], -2)[0, :height, :width] for name in bands[0]}

    def bands(self, outputs: Forward, image: Tensor) -> Iterator[Tensor]:
        """The blended logits of an image (3, H, W), at least a tile large: band after band, (C, rows, W) on the CPU."""
        rows, columns = self.tile
        tops, lefts = (starts(*each, self.overlap) for each in zip(image.shape[-2:], self.tile, strict=True))
        if len(tops) == len(lefts) == 1:  # as they are: a weight would only round them
            yield next(self._row(outputs, image, 0, lefts))[1]
            return
        window = triangle(rows)[:, None] * triangle(columns)
        total, weight = torch.empty(0), torch.zeros(rows, image.shape[-1])
        for top, following in zip(tops, [*tops[1:], tops[-1] + rows], strict=True):
            for left, logits in self._row(outputs, image, top, lefts):
                if not total.numel():
                    total = torch.zeros(len(logits), *weight.shape)
                total[:, :, left : left + columns] += logits * window
                weight[:, left : left + columns] += window
            final = following - top
            yield total[:, :final] / weight[:final]
            total, weight = (nn.functional.pad(each[..., final:, :], (0, 0, 0, final)) for each in (total, weight))

    def _row(self, outputs: Forward, image: Tensor, top: int, lefts: Sequence[int]) -> Iterator[tuple[int, Tensor]]:
        """The tiles of a row: where each begins, and its logits (C, *tile), float32 on the CPU."""
        rows, columns = self.tile
        for first in range(0, len(lefts), self.batch_size):
            some = lefts[first : first + self.batch_size]
            tiles = torch.stack([image[:, top : top + rows, left : left + columns] for left in some])
            yield from zip(some, _pixel_logits(outputs(tiles)), strict=True)


def _pixel_logits(outputs: Outputs) -> Tensor:
    assert isinstance(outputs, Tensor)
    return outputs.float().cpu()


def starts(side: int, tile: int, overlap: float) -> list[int]:
    """Where the tiles begin that cover a side: at equal distances, the last one ending with the side.

    >>> starts(100, 40, 0.5), starts(40, 40, 0.5), starts(41, 40, 0.0)
    ([0, 20, 40, 60], [0], [0, 1])
    """
    rest, step = side - tile, max(math.floor(tile * (1 - overlap)), 1)
    count = math.ceil(rest / step)
    return [round(place * rest / count) for place in range(count + 1)] if count else [0]


def triangle(length: int) -> Tensor:
    """The weight of a tile's pixels along one side, (length,): highest in its middle, above 0 at its ends.

    >>> triangle(4).tolist()
    [0.25, 0.75, 0.75, 0.25]
    """
    places = torch.arange(length) + 0.5
    return torch.minimum(places, length - places) * 2 / length
