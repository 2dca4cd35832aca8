"""How well anchors fit objects, and which sizes fit best.

The measure is the mean IoU of an object with its best anchor, as in Redmon & Farhadi, "YOLO9000", arXiv 1612.08242,
section 2 (dimension clusters); places count here too, because objects near a cell's size fall between them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

T = TypeVar("T")

SIDES = 10
"""Number of sizes that are compared."""
BEYOND = 1.3
"""The smallest and the largest of them lie beyond the objects' by this factor."""


@dataclass(frozen=True)
class Grid:
    """The anchors of one map: the same shapes around each of its places. Pixels; down before across."""

    cells: tuple[int, int]
    """Number of places."""
    first: tuple[float, float]
    """The first place."""
    step: tuple[float, float]
    """From place to place."""
    shapes: Tensor
    """(S, 2): heights and widths."""

    def iou(self, boxes: Tensor) -> Tensor:
        """(N, S): of each of the boxes (N, 4), edges, the IoU with its best anchor of each shape.

        Of anchors of one shape, the one at the nearest place overlaps a box most: along each side it does.
        """
        low, high = boxes[:, :2].flip(1), boxes[:, 2:].flip(1)
        first, step, last = boxes.new_tensor(self.first), boxes.new_tensor(self.step), boxes.new_tensor(self.cells) - 1
        nearest = (((low + high) / 2 - first) / step).round().clamp(min=0).minimum(last) * step + first
        shared = torch.minimum(high[:, None], nearest[:, None] + self.shapes / 2)
        shared = shared - torch.maximum(low[:, None], nearest[:, None] - self.shapes / 2)
        both = shared.clamp(min=0).prod(2)
        return both / ((high - low).prod(1)[:, None] + self.shapes.prod(1) - both)


def best_iou(boxes: Tensor, grids: Iterable[Grid]) -> Tensor:
    """(N,): the IoU of each of the boxes (N, 4), edges in pixels, with its best anchor."""
    return torch.cat([grid.iou(boxes) for grid in grids], 1).amax(1)


def sizes(boxes: Tensor, unit: float) -> list[float]:
    """Sides of squares that may fit: ascending, to two digits, as shares of ``unit`` pixels.

    They span the square roots of the boxes' areas, but for the extreme 5 percent at either end.
    """
    roots = (boxes[:, 2:] - boxes[:, :2]).prod(1).sqrt() / unit
    ends = roots.quantile(roots.new_tensor((0.05, 0.95))) * roots.new_tensor((1 / BEYOND, BEYOND))
    first, last = ends.log10().tolist()
    steps = torch.logspace(first, last, SIDES)
    return sorted({float(f"{side:.2g}") for side in steps.tolist()})


def fittest(choices: Iterable[T], overlaps: Callable[[T], Tensor]) -> T:
    """The choice whose anchors overlap the objects most: (N,) IoUs by ``overlaps``, of which the mean counts."""
    return max(choices, key=lambda choice: float(overlaps(choice).mean()))


def cells(side: int, stride: int, pooled: int) -> int:
    """Cells of a map that ``side`` pixels leave: VGG's poolings round down, the layers after them round up.

    Args:
        stride: of the map.
        pooled: stride of the backbone's coarsest map, from which the coarser ones are made.

    >>> [cells(47, stride, 32) for stride in (4, 8, 16, 32, 64)]
    [11, 5, 2, 1, 1]
    """
    least = side // min(stride, pooled)
    return -(-least * pooled // stride) if stride > pooled else least
