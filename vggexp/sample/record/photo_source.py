"""Reads one photo of a listing with the targets that a task needs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vggexp.sample.files import Stored, scaled
from vggexp.sample.header import read_header
from vggexp.sample.image import Photo, Shrink, read_shrunk
from vggexp.sample.mask_file import check_mask, upright_mask
from vggexp.sample.orientation import UPRIGHT, turn
from vggexp.sample.record.instances import flagged, numbered, objects_in, outlined
from vggexp.sample.record.mask_labels import MaskLabels
from vggexp.sample.record.objects import Target
from vggexp.sample.record.outlines import painted
from vggexp.sample.record.place import Exif, all_placed, annotated_size, is_upright, placed
from vggexp.sample.record.record import Record, Size
from vggexp.types import VOID


@dataclass(frozen=True)
class PhotoSource:
    """The photos of one split.

    Args:
        records, targets: a target for each record.
        shown: where they are needed, the labels of all classes that each record shows, ascending; of ``num_classes``.
        needs: those of ``types.TARGETS`` that are read.
        masks: how mask files are read; None: masks are painted from outlines.
        paint: by class, its label in painted masks.
        exif: see ``place``.
        unsure: beside ``shown``, the labels of which nobody asks whether the record shows them; (): asked of all.
        label_of: by class in use, the label of its objects.
        difficult: use objects that VOC calls difficult like any other.
    """

    records: tuple[Record, ...]
    targets: tuple[Target | None, ...]
    shown: tuple[tuple[int, ...], ...]
    num_classes: int
    needs: frozenset[str]
    masks: MaskLabels | None
    paint: Mapping[str, int]
    exif: Exif | None
    unsure: tuple[tuple[int, ...], ...] = ()
    label_of: Mapping[str, int] = field(default_factory=dict)
    difficult: bool = False

    @property
    def facts(self) -> object:
        """What beside the files decides what is read: every annotation, in a digest."""
        digest = hashlib.blake2b(digest_size=16)
        own = (sorted(self.needs), self.masks and self.masks.facts, self.paint, self.exif)
        objects: tuple[object, ...] = (sorted(self.label_of.items()), self.difficult) if "objects" in self.needs else ()
        objects += (self.unsure,) if any(self.unsure) else ()
        for part in (own, *objects, self.num_classes, self.shown, *zip(self.records, self.targets, strict=True)):
            digest.update(repr(part).encode())  # one at a time: all outlines together are gigabytes
        return digest.hexdigest()

    @property
    def has_masks(self) -> bool:
        """Whether a mask is read beside each photo."""
        return bool({"mask", "object_masks"} & self.needs)

    @property
    def labels(self) -> list[int] | None:
        """The label of each photo; None if one has none."""
        found = [target.label for target in self.targets if target is not None]
        return found if len(found) == len(self.targets) else None

    def __len__(self) -> int:
        return len(self.records)

    def files(self, index: int) -> tuple[Path, ...]:
        """The photo, and its mask files if it has some."""
        record = self.records[index]
        masks = (("mask", record.mask), ("object_masks", record.instances))
        return record.image, *(path for need, path in masks if need in self.needs and path is not None)

    def check(self, index: int) -> None:
        """DataError if ``read`` would fail, as far as it shows without decoding pixels."""
        record, target = self.records[index], self.targets[index]
        photo = read_header(record.image)
        if target is not None and target.box is not None and "box" in self.needs:
            placed(target.box, record, photo, self.exif)
        if "objects" in self.needs:
            all_placed([found.box for found in objects_in(record, self.label_of)], record, photo, self.exif)
        masks = self.files(index)[1:]
        for path in masks:
            check_mask(path, photo)
        if self.has_masks and not masks:
            annotated_size(record, photo, self.exif)

    def read(self, index: int, shrink: Shrink) -> Stored:
        """One sample; DataError if a file is missing or damaged, or its annotation does not fit it."""
        record, target = self.records[index], self.targets[index]
        photo = read_shrunk(record.image, shrink)
        stored: Stored = {"image": photo.image, "size": photo.size}
        if target is not None and "label" in self.needs:
            stored["label"] = target.label
        if "labels" in self.needs:
            stored["labels"] = torch.zeros(self.num_classes, dtype=torch.uint8)
            stored["labels"][list(self.shown[index])] = 1
            stored["labels"][list(self.unsure[index] if self.unsure else ())] = VOID
        if target is not None and target.box is not None and "box" in self.needs:
            stored["box"] = scaled(placed(target.box, record, photo, self.exif), photo.size, photo.image)
        if "mask" in self.needs:
            stored["mask"] = self._mask(record, photo)
        if "objects" in self.needs:
            stored |= self._objects(record, photo)
        return stored

    def placed(self, index: int) -> tuple[Size, Tensor]:
        """See ``files.Placing``."""
        record, target = self.records[index], self.targets[index]
        photo = read_header(record.image)
        found = [each.box for each in objects_in(record, self.label_of)] if "objects" in self.needs else []
        if target is not None and target.box is not None and "box" in self.needs:
            found.append(target.box)
        return photo.size, all_placed(found, record, photo, self.exif)

    def boxes(self, index: int) -> list[tuple[str, Tensor]]:
        """The class and the edges (4,) of each object, in pixels of the whole upright photo."""
        record = self.records[index]
        photo = read_header(record.image)
        return [(found.label, placed(found.box, record, photo, self.exif)) for found in record.objects or ()]

    def stored_mask(self, index: int) -> NDArray[np.uint8]:
        """The labels of a photo's mask, uint8 (H, W), as they are stored: perhaps not upright."""
        record = self.records[index]
        if record.mask is not None and self.masks is not None:
            return self.masks.read(record.mask)
        return painted(record, self.paint, annotated_size(record, read_header(record.image), self.exif))

    def _objects(self, record: Record, photo: Photo) -> Stored:
        """The objects of the classes in use, upright; with their masks if they are needed."""
        found = objects_in(record, self.label_of)
        edges = scaled(all_placed([each.box for each in found], record, photo, self.exif), photo.size, photo.image)
        objects = flagged(found, edges, self.label_of, self.difficult)
        if "object_masks" not in self.needs:
            return {"objects": objects}
        if record.instances is not None:
            planes = numbered(record.instances, record, self.label_of, photo, self.exif)
        else:
            planes = outlined(found, record, photo, self.exif)
        if not (covers := planes.covers()).all():  # without a pixel it is no target, and what is found there no error
            blank = ~covers if objects.difficult is None else ~covers | objects.difficult
            objects = replace(objects, difficult=blank)
        return {"objects": objects, "planes": planes}

    def _mask(self, record: Record, photo: Photo) -> Tensor:
        """uint8, (H, W), upright."""
        if record.mask is not None and self.masks is not None:
            return upright_mask(torch.from_numpy(self.masks.read(record.mask)), photo, record.mask)
        size = annotated_size(record, photo, self.exif)
        mask = torch.from_numpy(painted(record, self.paint, size))
        if photo.orientation == UPRIGHT or is_upright(size, photo, self.exif):
            return mask
        return turn(mask, photo.orientation)
