"""Box geometry: pure functions over boxes ``(x, y, h, w)``, shares of the image, in that order.

The image's top-left corner is (0, 0), its bottom-right (1, 1). Edges are (left, top, right, bottom), of ``Objects`` in
pixels. In the format "corner", (x, y) is the box's
top-left corner; in "center", its centre (VGG, appendix A). Mind the order: the height comes before the width.
"""

from typing import Literal

import torch
from torch import Tensor

Format = Literal["corner", "center"]


def to_edges(boxes: Tensor, format: Format = "corner") -> Tensor:
    """(..., 4) boxes to (..., 4) edges (left, top, right, bottom), the order of torchvision's functions."""
    x, y, h, w = boxes.unbind(-1)
    left, top = (x, y) if format == "corner" else (x - w / 2, y - h / 2)
    return torch.stack((left, top, left + w, top + h), -1)


def from_edges(edges: Tensor, format: Format = "corner") -> Tensor:
    """The inverse of ``to_edges``."""
    left, top, right, bottom = edges.unbind(-1)
    w, h = right - left, bottom - top
    x, y = (left, top) if format == "corner" else (left + w / 2, top + h / 2)
    return torch.stack((x, y, h, w), -1)


def to_pixels(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """(..., 4) boxes in corner format to edges in pixels of an image of ``size`` = (H, W): those of ``Objects``."""
    return to_edges(boxes) * _sides(boxes, size)


def from_pixels(edges: Tensor, size: tuple[int, int]) -> Tensor:
    """The inverse of ``to_pixels``.

    >>> from_pixels(torch.tensor([16.0, 8.0, 48.0, 32.0]), (32, 64))
    tensor([0.2500, 0.2500, 0.7500, 0.5000])
    """
    return from_edges(edges / _sides(edges, size))


def convert(boxes: Tensor, source: Format, target: Format) -> Tensor:
    """Boxes from one format to the other."""
    return boxes if source == target else from_edges(to_edges(boxes, source), target)


def area(boxes: Tensor) -> Tensor:
    """(..., 4) boxes to (...) areas, as shares of the image's; a negative side counts as none."""
    return boxes[..., 2].clamp(min=0) * boxes[..., 3].clamp(min=0)


def intersection(a: Tensor, b: Tensor, format: Format = "corner") -> Tensor:
    """Area that each box of ``a`` shares with its partner in ``b``: (..., 4), (..., 4) to (...)."""
    a, b = to_edges(a, format), to_edges(b, format)
    sides = torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])
    return sides.clamp(min=0).prod(-1)


def iou(a: Tensor, b: Tensor, format: Format = "corner") -> Tensor:
    """Intersection over union of each pair, 0 to 1; two boxes without area score 0.

    Areas 10 and 10 that share 5 give 5 / (10 + 10 - 5) = 1/3:

    >>> a, b = torch.tensor([[0.0, 0.0, 0.2, 0.5]]), torch.tensor([[0.25, 0.0, 0.2, 0.5]])
    >>> iou(a, b)
    tensor([0.3333])
    """
    return _ratio(shared := intersection(a, b, format), area(a) + area(b) - shared)


def dice(a: Tensor, b: Tensor, format: Format = "corner") -> Tensor:
    """Twice the intersection over the sum of the areas, 0 to 1; equal to 2 IoU / (1 + IoU).

    >>> a, b = torch.tensor([[0.0, 0.0, 0.2, 0.5]]), torch.tensor([[0.25, 0.0, 0.2, 0.5]])
    >>> dice(a, b)
    tensor([0.5000])
    """
    return _ratio(2 * intersection(a, b, format), area(a) + area(b))


def _sides(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    return boxes.new_tensor((size[1], size[0], size[1], size[0]))


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    return torch.where(whole > 0, part / whole.clamp(min=torch.finfo(whole.dtype).tiny), 0)


def of_label(boxes_per_class: Tensor, label: Tensor) -> Tensor:
    """The box of each image's label: (N, C, 4) and (N,) to (N, 4)."""
    return boxes_per_class[torch.arange(label.shape[0], device=label.device), label]
