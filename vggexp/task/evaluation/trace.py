"""OverFeat's picture: the windows that say the most, their boxes, and the merged box (arXiv 1312.6229, figure 6)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vggexp.boxes import from_edges
from vggexp.task import drawing

SHOWN = 24
"""Windows in a picture, those with the most evidence."""

Draw = Callable[[Tensor, Any], Tensor]


class Found(NamedTuple):
    """All windows of a photo."""

    windows: Tensor
    """(M, 4): edges as shares of the photo."""
    boxes: Tensor
    """(M, 4), or (M, C, 4) with one box a class: edges as shares of the photo."""
    evidence: Tensor
    """(M, C): the probability of each class that counts, else 0."""


def trace(found: Found) -> Tensor:
    """(1, K, 9) of the K windows with the most evidence: window and box as edges, and the class."""
    most, label = found.evidence.max(1)
    rows = most.topk(min(SHOWN, len(most))).indices
    boxes = found.boxes[rows] if found.boxes.ndim == 2 else found.boxes[rows, label[rows]]
    return torch.cat((found.windows[rows], boxes, label[rows, None].float()), 1)[None]


def draw(plain: Draw, image: Tensor, values: Any) -> Tensor:
    """Three pictures side by side: windows, their boxes, and what ``plain``, the task's own ``draw``, makes of it.

    Args:
        image: uint8 (3, H, W).
        values: one prediction; without ``trace`` it is drawn plainly.
    """
    if "trace" not in values:
        return plain(image, values)
    large = drawing.legible(image)
    rows = values["trace"].cpu()
    names = drawing.palette(int(rows[:, 8].max()) + 2)[1:]
    panels = [large, large]
    for row in rows.flip(0):  # the ones with the most evidence on top
        red, green, blue = names[int(row[8])].tolist()
        for panel, edges in enumerate((row[:4], row[4:8])):
            panels[panel] = drawing.draw_box(panels[panel], from_edges(edges), (red, green, blue))
    return side_by_side([*panels, plain(image, values)])


def side_by_side(pictures: list[Tensor], gap: int = 6) -> Tensor:
    """uint8 pictures (3, H, W) in a row on white, their tops in line."""
    height, width = max(one.shape[-2] for one in pictures), sum(one.shape[-1] + gap for one in pictures) - gap
    row, left = torch.full((3, height, width), 255, dtype=torch.uint8), 0
    for one in pictures:
        row[:, : one.shape[-2], left : left + one.shape[-1]] = one
        left += one.shape[-1] + gap
    return row
