"""The objects of a photo with the mask of each: from outlines, or from a file whose values number the objects."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_iou

from vggexp.sample.mask_file import upright_mask
from vggexp.sample.orientation import UPRIGHT, turn
from vggexp.sample.picture import Header
from vggexp.sample.planes import Planes, masks_to_edges, packed
from vggexp.sample.record.mask_labels import raw_values
from vggexp.sample.record.outlines import is_outline, outline_extent, outline_part
from vggexp.sample.record.place import Exif, all_placed, annotated_size, is_upright
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Edges, Object, Record
from vggexp.types import VOID, Objects

FITS = 0.5
"""IoU of a mask's extent and the object's box, from which on they belong together."""


def objects_in(record: Record, label_of: Mapping[str, int]) -> list[Object]:
    """The objects of the classes in use, crowds and difficult ones included."""
    return [found for found in record.objects or () if found.label in label_of]


def flagged(found: Sequence[Object], edges: Tensor, label_of: Mapping[str, int], difficult: bool) -> Objects:
    """Objects as the tasks take them.

    Args:
        edges: their boxes (K, 4), in pixels of the image.
        difficult: use objects that VOC calls difficult like any other.
    """
    labels = torch.tensor([label_of[each.label] for each in found], dtype=torch.int64)
    crowd, excused = [one.crowd for one in found], [one.difficult and not difficult for one in found]
    return Objects(edges, labels, None, *(torch.tensor(each) if any(each) else None for each in (crowd, excused)))


def has_object_masks(record: Record, label_of: Mapping[str, int]) -> bool:
    """Whether each object of the classes in use has a mask that fits its box; true of a photo without any object."""
    if record.objects is None:
        return False
    return record.instances is not None or all(not misfit(found, record) for found in objects_in(record, label_of))


def misfits(records: Iterable[Record], label_of: Mapping[str, int]) -> list[Problem]:
    """A warning for each object whose outline cannot be its mask."""
    return [
        Problem("warning", f"{what}: its photo is left out of object masks", record.annotation or record.name)
        for record in records if record.instances is None
        for what in (misfit(found, record) for found in objects_in(record, label_of)) if what
    ]  # fmt: skip


def misfit(found: Object, record: Record) -> str:
    """Why an object's outline cannot be its mask; "" if it can."""
    if not is_outline(found):
        return "object without an outline"
    assert found.shape is not None
    if (extent := outline_extent(found.shape)) is None:
        return ""  # reading it will tell what is wrong
    left, top, right, bottom = extent
    if not (left < right and top < bottom):
        return "outline without area"
    return "" if _iou(extent, found.box) >= FITS else "outline that does not fit its box"


def outlined(found: Sequence[Object], record: Record, photo: Header, exif: Exif | None) -> Planes:
    """The masks of objects from their outlines, upright; DataError if one cannot be read."""
    size, where = annotated_size(record, photo, exif), record.annotation or record.name
    masks = (outline_part(each.shape, record, size) for each in found if each.shape is not None)
    planes = packed(masks, size, where)
    if photo.orientation == UPRIGHT or is_upright(size, photo, exif):
        return planes
    return replace(planes, pixels=torch.stack([turn(pixels, photo.orientation) for pixels in planes.pixels]))


def numbered(path: Path, record: Record, label_of: Mapping[str, int], photo: Header, exif: Exif | None) -> Planes:
    """The masks of the objects in use from a file of numbers, upright; DataError if it cannot be read.

    Each number belongs to the object whose box fits its extent best: an annotation whose boxes were edited has another
    order. An object that no number fits has no pixel.
    """
    numbers = upright_mask(torch.from_numpy(raw_values(path)), photo, path)
    every = record.objects or ()
    given = _fitting(numbers, all_placed([each.box for each in every], record, photo, exif))
    number = torch.tensor([given.get(row, 0) for row, each in enumerate(every) if each.label in label_of])
    return Planes(numbers[None], torch.zeros(len(number), dtype=torch.int64), number.to(torch.int64))


def _fitting(numbers: Tensor, boxes: Tensor) -> dict[int, int]:
    """By row of the boxes (K, 4), the number that fits it."""
    values = [value for value in np.unique(numbers.numpy()).tolist() if value not in (0, VOID)]
    if not values or not len(boxes):
        return {}
    extents = torch.cat([masks_to_edges((numbers == value)[None].to(torch.uint8)) for value in values])
    ious = box_iou(extents, boxes)
    given: dict[int, int] = {}
    for place in ious.flatten().argsort(descending=True, stable=True).tolist():
        value, row = values[place // len(boxes)], place % len(boxes)
        if ious.flatten()[place] >= FITS and row not in given and value not in given.values():
            given[row] = value
    return given


def _iou(one: Edges, other: Edges) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0.0) * max(height, 0.0)
    areas = sum((right - left) * (bottom - top) for left, top, right, bottom in (one, other))
    return shared / (areas - shared) if areas > shared else 0.0
