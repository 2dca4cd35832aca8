"""The classes of a listing in use: those of photos and objects, and those of pixels."""

from collections.abc import Mapping
from dataclasses import dataclass

from vggexp.sample.record.classes import Chosen, ClassTable, class_table, two_spellings
from vggexp.sample.record.mask_labels import BACKGROUND, mask_table
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Listing
from vggexp.types import DataInfo


@dataclass(frozen=True)
class Tables:
    """Classes by kind of target."""

    labels: ClassTable
    """Of photos and objects."""
    masks: ClassTable
    """Of pixels."""

    @property
    def info(self) -> DataInfo:
        """The names, as the tasks see them."""
        return DataInfo(classes=self.labels.names, mask_classes=self.masks.names)

    @property
    def paint(self) -> Mapping[str, int]:
        """By class, its label in masks that are painted from outlines."""
        return {name: label for name, label in self.masks.label_of.items() if name != BACKGROUND}


def tables(listing: Listing, chosen: Chosen | None) -> tuple[Tables, list[Problem]]:
    """The tables for what ``data.classes`` chooses, and the error that a class is spelt in two ways.

    Raises:
        ConfigError: as ``class_table``.
    """
    pixels = listing.masks.classes if listing.masks else (BACKGROUND, *listing.classes) if any_outline(listing) else ()
    known = tuple(dict.fromkeys((*listing.classes, *(name for name in pixels if name != BACKGROUND))))
    table = class_table(known, chosen)
    spellings = two_spellings(known, table)
    labels = table if chosen is not None and listing.classes else class_table(listing.classes, None)
    of_pixels = mask_table(pixels, table if chosen is not None else None)
    return Tables(labels, of_pixels if pixels else ClassTable((), {})), [spellings] if spellings else []


def any_outline(listing: Listing) -> bool:
    """Whether some object has an outline."""
    return any(found.shape is not None for record in listing.records for found in record.objects or ())
