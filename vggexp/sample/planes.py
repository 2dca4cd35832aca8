"""Stores the masks of many objects in a few planes, which are transformed like one mask and need little memory.

Objects that do not overlap share a plane, in which each has its own number. So 2,000 objects on a photo of 12
megapixels need about 0.1 GB; one mask for each would need 24 GB.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vggexp.errors import DataError
from vggexp.types import VOID

MOST = VOID - 1
"""Maximum number of objects in a plane: 0 means no object, VOID means outside the image."""
LIMIT = 2**30
"""Maximum size of an image's planes, bytes; overlapping objects need more planes."""


@dataclass(frozen=True)
class Planes:
    """The masks of an image's K objects, in P planes."""

    pixels: Tensor
    """uint8, (P, H, W): the number of the object that covers a pixel, 0 or VOID where none does."""
    plane: Tensor
    """int64, (K,): the plane that an object is in."""
    number: Tensor
    """int64, (K,): its number there, 1 to MOST; 0: it covers no pixel."""

    def __len__(self) -> int:
        return len(self.plane)

    def __getitem__(self, rows: Tensor) -> "Planes":
        """A selection of the objects, with the same planes."""
        return replace(self, plane=self.plane[rows], number=self.number[rows])

    def masks(self) -> Tensor:
        """uint8, (K, H, W): 1 where the object is."""
        found = torch.zeros((len(self), *self.pixels.shape[1:]), dtype=torch.uint8)
        for row, (plane, number) in enumerate(zip(self.plane.tolist(), self.number.tolist(), strict=True)):
            if number:
                torch.eq(self.pixels[plane], number, out=found[row].view(torch.bool))
        return found

    def covers(self) -> Tensor:
        """bool, (K,): whether an object has any pixel."""
        seen = torch.zeros((len(self.pixels), VOID + 1), dtype=torch.bool)
        for plane, pixels in enumerate(self.pixels):
            seen[plane] = torch.bincount(pixels.flatten(), minlength=VOID + 1) > 0
        return seen[self.plane, self.number] & (self.number > 0) if len(self) else self.number > 0


Part = tuple[int, int, NDArray[np.bool_]]
"""The top and the left of a part of a mask that holds all its pixels, and the part."""


def packed(masks: Iterable[NDArray[np.bool_] | Part], size: tuple[int, int], where: str) -> Planes:
    """The planes for masks (H, W), or for parts of them, which are read one at a time.

    Args:
        size: (H, W), where there is no mask.
        where: what the image is called in messages.

    Raises:
        DataError: so many masks overlap that the planes need more than ``LIMIT``.
    """
    planes, counts, places = list[NDArray[np.uint8]](), list[int](), list[tuple[int, int]]()
    for mask in masks:
        top, left, part = mask if isinstance(mask, tuple) else _part(mask)
        if not part.any():
            places.append((0, 0))
            continue
        window = slice(top, top + part.shape[0]), slice(left, left + part.shape[1])
        free = (place for place, pixels in enumerate(planes) if counts[place] < MOST and not pixels[window][part].any())
        place = next(free, len(planes))
        if place == len(planes):
            if (place + 1) * size[0] * size[1] > LIMIT:
                raise DataError(
                    f"{where} has more than {len(places)} objects whose masks overlap in over {place} layers, which "
                    f"need more than {LIMIT / 2**30:.0f} GiB; store the photo smaller, or leave it out"
                )
            planes.append(np.zeros(size, np.uint8))
            counts.append(0)
        counts[place] += 1
        planes[place][window][part] = counts[place]
        places.append((place, counts[place]))
    pixels = torch.from_numpy(np.stack(planes) if planes else np.zeros((1, *size), np.uint8))
    plane, number = torch.tensor(places, dtype=torch.int64).view(-1, 2).unbind(1)
    return Planes(pixels, plane, number)


def _part(mask: NDArray[np.bool_]) -> Part:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return 0, 0, mask[:0]
    return int(rows[0]), int(columns[0]), mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def masks_to_edges(masks: Tensor) -> Tensor:
    """The boxes (K, 4) that enclose masks (K, H, W) of a pixel or more each: float32, left, top, right, bottom."""
    rows, columns = masks.amax(2), masks.amax(1)
    ends = [(side.argmax(1), side.shape[1] - side.flip(1).argmax(1)) for side in (columns, rows)]
    return torch.stack((ends[0][0], ends[1][0], ends[0][1], ends[1][1]), 1).float()
