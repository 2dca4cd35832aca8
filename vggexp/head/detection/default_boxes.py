"""SSD's default boxes: fixed shapes around the places of each map, their sides as shares of the image.

Liu et al., "SSD: Single Shot MultiBox Detector", arXiv 1512.02325, section 2.2.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator

from vggexp.head.detection.fit import Grid, best_iou, cells, fittest, sizes

FINEST, SCALES = 0.1, (0.2, 0.9)
"""The paper's sides, as shares of the image: on conv4_3, and on fc7 and the last map."""


class DefaultBoxes(DefaultBoxGenerator):  # type: ignore[misc]
    """torchvision's default boxes of equation 4: sides that grow linearly from map to map; conv4_3 has one of its own.

    Args:
        levels: number of maps.
        finest: side on conv4_3; None: the paper's.
        scales: sides on fc7 and on the last map; None: the paper's.
        ratios: widths by heights besides squares, with their inverses; the first, the second to last and the last map
            have the first of them only.
    """

    def __init__(
        self, levels: int, finest: float | None, scales: Sequence[float] | None, ratios: Sequence[float]
    ) -> None:
        few, all_of_them = list(ratios[:1]), list(ratios)
        shapes = [few if k in (0, levels - 2, levels - 1) and k != 1 else all_of_them for k in range(levels)]
        super().__init__(shapes, scales=[finest or FINEST, *_growing(levels, scales or SCALES)])
        self._arguments = {"finest": finest, "scales": scales}
        self._levels, self._ratios = levels, tuple(ratios)

    @property
    def unset(self) -> tuple[str, ...]:
        """The arguments of the head that were not given, and are the paper's until they are fitted."""
        return tuple(name for name, value in self._arguments.items() if value is None)

    def overlaps(self, boxes: Tensor, size: tuple[int, int]) -> Tensor:
        """(N,): the IoU of each of the boxes (N, 4), in pixels of images of ``size`` = (H, W), with its best one."""
        return best_iou(boxes, [self._grid(level, size) for level in range(self._levels)])

    def fitted(self, boxes: Tensor, size: tuple[int, int]) -> dict[str, Any]:
        """Values of the unset arguments (of all if none is unset) with whose default boxes these boxes fit best."""
        fitting = self.unset or tuple(self._arguments)
        fixed = {name: value for name, value in self._arguments.items() if name not in fitting}
        choices: list[dict[str, Any]] = [
            {"finest": finest, "scales": [smallest, min(largest, 1.0)]} | fixed
            for finest, smallest, largest in itertools.combinations(sizes(boxes, math.sqrt(size[0] * size[1])), 3)
        ]
        best = fittest(choices, lambda choice: self._with(**choice).overlaps(boxes, size))
        return {name: best[name] for name in fitting}

    def _with(self, finest: float, scales: Sequence[float]) -> "DefaultBoxes":
        return DefaultBoxes(self._levels, finest, scales, self._ratios)

    def _grid(self, level: int, size: tuple[int, int]) -> Grid:
        """A map's default boxes. SSD divides an image by the number of its cells, whatever their stride."""
        rows, columns = (cells(side, 8 * 2**level, 16) for side in size)
        down, across = size[0] / rows, size[1] / columns
        shapes = self._wh_pairs[level].clamp(max=1).flip(1) * torch.tensor(size)
        return Grid((rows, columns), (down / 2, across / 2), (down, across), shapes)


def _growing(levels: int, scales: Sequence[float]) -> list[float]:
    """The sides from fc7 on, and one more, which the last map's larger square follows from."""
    smallest, largest = scales
    steps = max(1, levels - 2)
    return [smallest + (largest - smallest) * step / steps for step in range(levels)]
