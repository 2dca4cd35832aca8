"""Where an annotation lies on its photo: stored or upright pixels, clipped to the photo."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from vggexp.errors import DataError
from vggexp.sample.orientation import UPRIGHT, turn_edges, turned_size
from vggexp.sample.picture import Header
from vggexp.sample.record.record import Edges, Record, Size

Exif = Literal["upright", "stored"]
"""Which pixels annotations count that give no size of their photo."""


def annotated_size(record: Record, photo: Header, exif: Exif | None) -> Size:
    """(height, width) of the grid that the record's annotations count: the photo's, upright or as it is stored.

    Raises:
        DataError: the size that the annotation gives is neither, or nothing tells which of them it counts.
    """
    upright, stored = photo.size, turned_size(photo.size, photo.orientation)
    where = record.annotation or record.name
    if record.size is not None and record.size not in (upright, stored):
        given, right = (f"{width} x {height}" for height, width in (record.size, upright))
        raise DataError(
            f"{where} gives an image of {given} pixels, and {record.name} has {right}; correct the annotation"
        )
    if photo.orientation == UPRIGHT:
        return upright
    if record.size is not None and upright != stored:
        if exif is not None and record.size != (upright if exif == "upright" else stored):
            raise DataError(
                f"{where} counts {'stored' if exif == 'upright' else 'upright'} pixels by the size that it gives, "
                f"and data.exif={exif} says otherwise; leave out data.exif"
            )
        return record.size
    if exif is None:
        raise DataError(
            f"{record.name} is turned by EXIF (orientation {photo.orientation}), and {where} does not tell which "
            "pixels it counts; give data.exif=upright if it was drawn on the photo as viewers show it, else "
            "data.exif=stored"
        )
    return upright if exif == "upright" else stored


def placed(box: Edges, record: Record, photo: Header, exif: Exif | None) -> Tensor:
    """A box as edges (4,) in pixels of the whole upright photo, clipped to it.

    Raises:
        DataError: as ``annotated_size``; or nothing of the box is in the photo.
    """
    return all_placed([box], record, photo, exif)[0]


def all_placed(boxes: Sequence[Edges], record: Record, photo: Header, exif: Exif | None) -> Tensor:
    """As ``placed``, (K, 4): many at once."""
    size = annotated_size(record, photo, exif)
    edges = torch.tensor(boxes, dtype=torch.float32).view(-1, 4)
    if record.unit == "share":
        edges = edges * torch.tensor([size[1], size[0], size[1], size[0]])
    if photo.orientation != UPRIGHT and not is_upright(size, photo, exif):
        edges = turn_edges(edges, size, photo.orientation)
    height, width = photo.size
    edges = edges.clamp(min=0).minimum(torch.tensor([width, height, width, height]))
    if not (edges[:, :2] < edges[:, 2:]).all():
        raise DataError(f"{record.annotation or record.name} has a box outside its photo of {width} x {height} pixels")
    return edges


def is_upright(size: Size, photo: Header, exif: Exif | None) -> bool:
    """Whether annotations on a grid of this size count upright pixels."""
    stored = turned_size(photo.size, photo.orientation)
    return exif == "upright" if photo.size == stored else size == photo.size
