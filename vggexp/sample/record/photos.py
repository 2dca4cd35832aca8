"""A data set of the user's own photos: what is made of a listing, whatever the layout that it was read from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from vggexp.errors import DataError, require_known
from vggexp.sample.files import Files
from vggexp.sample.record.classes import Chosen, ClassTable
from vggexp.sample.record.copies import copies_across
from vggexp.sample.record.divide import divided
from vggexp.sample.record.instances import has_object_masks, misfits
from vggexp.sample.record.mask_labels import MaskLabels
from vggexp.sample.record.objects import (
    SELECT,
    Select,
    Target,
    chosen_objects,
    is_labelled,
    labels_of,
    target_of,
    with_usable_objects,
)
from vggexp.sample.record.outlines import has_outlines, without_outlines
from vggexp.sample.record.photo_source import PhotoSource
from vggexp.sample.record.place import Exif
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.readable import ON_ERROR, without_unreadable
from vggexp.sample.record.record import Listing, Record
from vggexp.sample.record.splits import group_by, uniform
from vggexp.sample.record.tables import any_outline, tables
from vggexp.sample.resize import Recipe
from vggexp.sample.transform import Transform
from vggexp.types import TARGETS

INSPECT = "python -m vggexp inspect data.root=..."


class PhotoWords(TypedDict, total=False):
    """The words that every layout takes: the arguments of ``Photos``, and ``index_dir`` of ``kept_listing``."""

    classes: Chosen | None
    split: Mapping[str, Any] | str | None
    group: str | None
    fold: int | None
    folds: int | None
    select: Select
    difficult: bool
    exif: Exif | None
    on_error: Literal["stop", "skip"]
    decode_scale: bool
    index_dir: str | None
    train_transform: Recipe
    eval_transform: Recipe


class Photos:
    """Photos in fixed, disjoint splits.

    Args:
        listing: what a reader found.
        classes: which classes are used; see ``classes.class_table``.
        split: shares of val and test and the seed, as ``SplitRule`` takes them; or the ``splits.csv`` of a run.
        group: a regular expression over a photo's path; photos of one group stay in one split.
        fold, folds: cross-validation, see ``SplitRule``.
        select: which object is the target of a task that takes one, see ``objects.target_of``.
        difficult: use objects that VOC calls difficult.
        exif: "upright" or "stored": which pixels annotations count that do not give their photo's size.
        on_error: "skip" leaves out photos that cannot be read, as far as it shows without decoding them.
        decode_scale: see ``Files``.
        train_transform, eval_transform: recipes, see ``transform.py``.

    Raises:
        ConfigError: an argument that cannot be.
        DataError: what was found cannot be used.
    """

    def __init__(
        self,
        listing: Listing,
        *,
        classes: Chosen | None = None,
        split: Mapping[str, Any] | str | None = None,
        group: str | None = None,
        fold: int | None = None,
        folds: int | None = None,
        select: Select = "largest",
        difficult: bool = False,
        exif: Exif | None = None,
        on_error: Literal["stop", "skip"] = "stop",
        decode_scale: bool = True,
        train_transform: Recipe = (),
        eval_transform: Recipe = (),
    ) -> None:
        require_known("data.select", select, SELECT)
        require_known("data.on_error", on_error, ON_ERROR)
        if exif is not None:
            require_known("data.exif", exif, ("upright", "stored"))
        self._select, self._difficult, self._exif, self._decode_scale = select, difficult, exif, decode_scale
        self._on_error = on_error
        self.skipped: dict[str, str] = {}
        """By photo that a split leaves out because it cannot be read, why."""
        self._train, self._eval = Transform(train_transform, eval_transform), Transform(eval_transform)
        self.listing, problems = _prepared(listing, group)
        self._tables, spellings = tables(self.listing, classes)
        self.info = self._tables.info
        self.splits, odd = divided(self.listing.records, split, fold, folds, self._classes_of())
        if self.listing.masks is None:
            odd += without_outlines(self.listing.records, self._tables.paint)
        self.problems = [*problems, *spellings, *odd, *self._copies()]
        """What is wrong with the folder; ``data_contract.check_data`` stops at errors."""

    def split(self, name: str, needs: frozenset[str], *, augment: bool = False) -> Files:
        """The photos of a split that have every target in ``needs``; see ``types.Data``.

        Raises:
            DataError: there is none.
        """
        source = self._source(*self.photos(name, needs), needs)
        if self._on_error == "skip":
            source, broken = without_unreadable(source, name)
            self.skipped |= broken
        return Files(source, self._train if augment else self._eval, self._decode_scale)

    def _source(
        self, records: Sequence[Record], targets: Sequence[Target | None], needs: frozenset[str] = frozenset()
    ) -> PhotoSource:
        listed = self.listing.masks
        masks = MaskLabels(listed, self._tables.masks) if listed else None
        labelled = [record for record in records if "labels" in needs]
        shown = tuple(tuple(sorted(self._shown(record))) for record in labelled)
        unsure = tuple(tuple(sorted(self._unsure(record))) for record in labelled)
        return PhotoSource(
            tuple(records), tuple(targets), shown, len(self.info.classes), needs, masks, self._tables.paint, self._exif,
            unsure, self._tables.labels.label_of, self._difficult,
        )  # fmt: skip

    @property
    def label_table(self) -> ClassTable:
        """The classes of photos and objects in use."""
        return self._tables.labels

    @property
    def provides(self) -> frozenset[str]:
        """The targets that some photo can have."""
        found = [(record, self._target(record)) for record in self.listing.records]
        return frozenset(
            need for need in (*TARGETS, "object_masks") if any(self._has(*each, frozenset({need})) for each in found)
        )

    def masked(self) -> list[Callable[[], NDArray[np.uint8]]]:
        """For each photo with a mask, what reads the mask alone: uint8 (H, W), as it is stored."""
        source = self._source(self.listing.records, [None] * len(self.listing.records))
        places = [place for place, record in enumerate(source.records) if self._has(record, None, frozenset({"mask"}))]
        return [partial(source.stored_mask, place) for place in places]

    @property
    def has_test(self) -> bool:
        """Whether any photo is in the test split."""
        return "test" in self.splits.values()

    def photos(self, name: str, needs: frozenset[str]) -> tuple[list[Record], list[Target | None]]:
        """The photos of a split that have every target in ``needs``, and the targets of tasks that take one.

        They come in a mixed order, so the first few already show several classes.

        Raises:
            DataError: there is none, or ``select`` is "error" and a photo has several objects.
        """
        found = []
        for record in self._mixed:
            if self.splits.get(record.name) == name:
                target = self._target(record) if needs & {"label", "box"} else None
                if self._has(record, target, needs):
                    found.append((record, target))
        if not found:
            raise DataError(self._nothing(name, needs))
        records, targets = zip(*found, strict=True)
        if "objects" in needs and name == "train" and not any(map(self._teaches, records)):
            raise DataError(
                f"none of the {len(records)} photos in split 'train' has an object that can be a target; {INSPECT} "
                f"shows what they have"
            )
        return list(records), list(targets)

    @cached_property
    def _mixed(self) -> list[Record]:
        """All photos in an order that depends on their names alone."""
        return sorted(self.listing.records, key=lambda record: uniform(record.name))

    def _teaches(self, record: Record) -> bool:
        """Whether a photo has an object that can be a target."""
        return any(chosen_objects(record, self._tables.labels, self._difficult))

    def _target(self, record: Record) -> Target | None:
        return target_of(record, self._tables.labels, self._select, self._difficult)

    def _has(self, record: Record, target: Target | None, needs: frozenset[str]) -> bool:
        has_label = target is not None
        has_box = target is not None and target.box is not None
        has_mask = record.mask is not None or has_outlines(record, self._tables.paint)
        # A photo whose objects are all of other classes, or that has none, shows no class: that is an answer, too.
        has = {"label": has_label, "labels": is_labelled(record), "box": has_box, "mask": has_mask,
               "objects": record.objects is not None, "object_masks": record.name in self._with_object_masks
               if "object_masks" in needs else False}  # fmt: skip
        return all(has.get(need, False) for need in needs)

    @cached_property
    def _with_object_masks(self) -> frozenset[str]:
        """The photos whose objects all have a mask; what keeps the others from it is added to the problems."""
        records, label_of = self.listing.records, self._tables.labels.label_of
        some = any(record.instances is not None for record in records) or any_outline(self.listing)
        found = frozenset(record.name for record in records if some and has_object_masks(record, label_of))
        if found:
            self.problems += misfits(records, label_of)
        return found

    def _classes_of(self) -> dict[str, frozenset[str]]:
        """By photo, the names of the classes that it shows."""
        names, found, known = self._tables.labels.names, {}, dict[tuple[str, ...], frozenset[str]]()
        for each in self.listing.records:
            classes = None if each.objects else known.get(each.labels)
            if classes is None:
                classes = frozenset(names[label] for label in self._shown(each))
                if not each.objects:
                    known[each.labels] = classes  # of class folders there are many photos and few labels
            found[each.name] = classes
        return found

    def _copies(self) -> list[Problem]:
        return copies_across(self.listing.records, self.splits, self.listing.copies)

    def _shown(self, record: Record) -> frozenset[int]:
        return labels_of(record, self._tables.labels, self._difficult)

    def _unsure(self, record: Record) -> frozenset[int]:
        """The classes that a photo shows in difficult objects alone; VOC asks nobody whether it shows them."""
        return labels_of(record, self._tables.labels, difficult=True) - self._shown(record)

    def _nothing(self, name: str, needs: frozenset[str]) -> str:
        """Why a split has no photo."""
        wanted = " and ".join(sorted(needs)) or "an image"
        total = sum(split == name for split in self.splits.values())
        if total:
            return f"none of the {total} photos in split {name!r} has {wanted}; {INSPECT} shows what they have"
        if name == "test":
            return "there is no test split; give test=false, or draw one from train: data.split.test=0.15"
        return f"there is no photo in split {name!r}; draw one with data.split.{name}=0.15, or give more photos"


def folder(root: str) -> Path:
    """The folder that ``data.root`` names; DataError if it is none."""
    path = Path(root).expanduser()
    if not path.is_dir():
        what = "is a file" if path.is_file() else "does not exist"
        raise DataError(f"data.root={root} {what}; give the folder that holds the photos")
    return path


def _prepared(listing: Listing, group: str | None) -> tuple[Listing, list[Problem]]:
    """The listing with groups and without boxes that mean nothing, and all problems with it."""
    grouped = group_by(group) if group else None
    records, problems = [], list(listing.problems)
    for record in listing.records:
        own = replace(record, group=grouped(record)) if grouped else record
        usable, odd = with_usable_objects(own, listing.boxes) if own.objects else (own, ())
        records.append(usable)
        problems += odd
    if not records and not any(problem.kind == "error" for problem in problems):
        problems.append(Problem("error", "no photo in this layout", "data.root", f"{INSPECT} shows what it has"))
    return replace(listing, records=tuple(records)), problems
