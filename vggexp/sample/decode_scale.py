"""How much smaller an image may be decoded, if a recipe's first step shrinks it anyway.

libjpeg can decode at n eighths of the sides; n = 4, 2 and 1 save time (1/2 takes 0.85 of the time at 500 pixels), the
others take longer than decoding at full size. The decoded image is never smaller than what the step produces, so no
detail is lost. At edges, pixels differ from a full-size decode by a few gray levels.
"""

import math
from typing import Protocol, runtime_checkable

from torchvision.transforms import v2

FACTORS = (8, 4, 2)
SMOOTH = ("bilinear", "bicubic", 2, 3)
"""Interpolations that average, as torchvision takes them: names or Pillow's numbers."""


@runtime_checkable
class Resizing(Protocol):
    """A resizing step of this project, which says itself how large its input must be."""

    def has_enough(self, height: float, width: float) -> bool:
        """Whether the step never enlarges an image of this size."""


def shrink_factor(step: v2.Transform | None, height: int, width: int) -> int:
    """The largest of the factors 1, 2, 4 and 8 at which the input of ``step`` is still at least as large as its output.

    >>> shrink_factor(v2.Resize([224, 224]), 450, 600), shrink_factor(v2.Resize([224, 224]), 440, 600)
    (2, 1)
    """
    return next((factor for factor in FACTORS if _fits(step, height / factor, width / factor)), 1)


def _fits(step: v2.Transform | None, height: float, width: float) -> bool:
    """Whether a decoded image of this size is large enough for the step."""
    if isinstance(step, Resizing):
        return averages(step) and step.has_enough(height, width)
    match step:
        case v2.Resize(size=[_, *_] as size, max_size=None) if averages(step):
            needed = (size[0], size[1]) if len(size) == 2 else (min(size), min(size))
            return bool(height >= needed[0] and width >= needed[1])
        case v2.RandomResizedCrop(size=(rows, columns)) if averages(step):
            least = _smallest_crop(step, height, width)
            return bool(least[0] >= rows and least[1] >= columns)
    return False


def averages(step: v2.Transform) -> bool:
    """Whether the step averages when it shrinks; one that picks pixels would pick others after a smaller decode."""
    return getattr(step.interpolation, "value", step.interpolation) in SMOOTH and bool(step.antialias)


def _smallest_crop(step: v2.RandomResizedCrop, height: float, width: float) -> tuple[float, float]:
    """(height, width) that a draw cannot fall short of: at the least share of the area, or as the fallback has them."""
    area = step.scale[0] * height * width
    narrow, wide = min(step.ratio), max(step.ratio)
    fallback = min(height, width / narrow), min(width, height * wide)
    low, slim = max(math.sqrt(area / wide), area / width), max(math.sqrt(area * narrow), area / height)
    return min(low, fallback[0]), min(slim, fallback[1])
