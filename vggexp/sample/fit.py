"""Brings a photo of any shape to the network's shape, by letterboxing or a centre crop; image, box and mask move alike.

Both sides are scaled by one factor, which preserves the aspect ratio up to rounding to whole pixels. Padding is VOID in
a mask. The position depends only on the photo's stored size, even if it was decoded at a smaller scale.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from vggexp.errors import did_you_mean
from vggexp.sample.crop import scaled_part
from vggexp.sample.labels import Labels
from vggexp.sample.resize import GRAY, MODES
from vggexp.types import VOID

Size = tuple[int, int]
JITTER = 4 / 3
"""A random part's aspect ratio may differ from the photo's by this factor, as in torchvision's RandomResizedCrop."""


class Fit(v2.Transform):  # type: ignore[misc]
    """Scales a photo, then pads it or crops its centre.

    Args:
        size: (height, width) of the output.
        mode: "letterbox" or "crop"; "squash" is torchvision's Resize (``resize.plain``).
        scale: range of areas, as shares of the photo's; for training, a random part of such an area is letterboxed,
            whose aspect ratio differs from the photo's by at most ``JITTER``. None: the whole photo.
        gray: colour of the padding, 0 to 255.
        interpolation: as torchvision's Resize takes it.
    """

    def __init__(
        self,
        size: Sequence[int],
        mode: str = "squash",
        scale: Sequence[float] | None = None,
        gray: int | None = None,
        interpolation: v2.InterpolationMode | str = v2.InterpolationMode.BILINEAR,
    ) -> None:
        super().__init__()
        check_arguments(size, mode, scale, gray)
        self.size: Size = (int(size[0]), int(size[1]))
        self.mode, self.scale, self.gray = mode, scale, GRAY if gray is None else gray
        self.interpolation, self.antialias = interpolation, True
        self._arguments = (size, mode, scale, gray, interpolation)
        self._stored: Size | None = None

    def of(self, stored: Size) -> "Fit":
        """The same, of images stored at this (height, width)."""
        other = Fit(*self._arguments)
        other._stored = stored
        return other

    def has_enough(self, height: float, width: float) -> bool:
        """Whether an image of this size is never enlarged."""
        if self.mode == "crop":
            return height >= self.size[0] and width >= self.size[1]
        least = 1.0 if self.scale is None else math.sqrt(self.scale[0] / JITTER)
        return height * least >= self.size[0] or width * least >= self.size[1]

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """``part``, (top, left, height, width) of the inputs or None; and the sides that it is scaled to."""
        decoded: Size = tuple(v2.query_size(flat_inputs))
        height, width = stored = self._stored or decoded
        part = None
        if self.scale is not None:
            top, left, height, width = drawn_part(stored, self.scale)
            (top, rows), (left, columns) = (
                scaled_part(top, height, decoded[0], stored[0]),
                scaled_part(left, width, decoded[1], stored[1]),
            )
            part = (top, left, rows, columns)
        return {"part": part, "sides": self._sides(height, width)}

    def _sides(self, height: int, width: int) -> list[int]:
        """The scaled photo's sides: one is the network's, the other follows the photo's ratio, in whole numbers."""
        rows, columns = self.size
        by_height = rows * width <= columns * height
        if by_height == (self.mode == "letterbox"):
            return [rows, max((2 * width * rows + height) // (2 * height), 1)]
        return [max((2 * height * columns + width) // (2 * width), 1), columns]

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One input, scaled and padded or cropped."""
        if params["part"] is not None:
            inpt = functional.crop(inpt, *params["part"])
        sides = params["sides"]
        inpt = functional.resize(inpt, sides, interpolation=self.interpolation, antialias=True)
        rest = [wanted - side for wanted, side in zip(self.size, sides, strict=True)]
        if self.mode == "crop":
            return functional.crop(inpt, -rest[0] // 2, -rest[1] // 2, *self.size) if any(rest) else inpt
        top, left = rest[0] // 2, rest[1] // 2
        padding = [left, top, rest[1] - left, rest[0] - top]
        fill = VOID if isinstance(inpt, Labels) else self.gray
        return functional.pad(inpt, padding, fill=fill) if any(rest) else inpt


def drawn_part(size: Size, scale: Sequence[float]) -> tuple[int, int, int, int]:
    """(top, left, height, width) of a random part, drawn from torch's global generator."""
    share, stretch, down, right = torch.rand(4).tolist()
    area = scale[0] + share * (scale[1] - scale[0])
    ratio = JITTER ** (2 * stretch - 1)
    height = min(max(round(size[0] * math.sqrt(area / ratio)), 1), size[0])
    width = min(max(round(size[1] * math.sqrt(area * ratio)), 1), size[1])
    return round(down * (size[0] - height)), round(right * (size[1] - width)), height, width


def check_arguments(size: Any, mode: str, scale: Any, gray: Any) -> None:
    """Raise ValueError for an invalid argument, or one that the mode does not use."""
    if mode not in MODES:
        raise ValueError(f"mode={mode} is not known{did_you_mean(str(mode), MODES)}")
    sides = isinstance(size, Sequence) and len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size)
    if not sides:
        raise ValueError(f"size={size} is not [height, width], two whole numbers above 0")
    if gray is not None and mode != "letterbox":
        raise ValueError(f"gray={gray} has no effect with mode={mode}: only mode=letterbox pads")
    if gray is not None and not (isinstance(gray, int) and 0 <= gray <= 255):
        raise ValueError(f"gray={gray} is not a whole number from 0 to 255")
    shares = isinstance(scale, Sequence) and len(scale) == 2 and 0 < scale[0] <= scale[1] <= 1
    if scale is not None and not shares:
        raise ValueError(f"scale={scale} is not [least, most], shares of the photo's area above 0 and up to 1")
