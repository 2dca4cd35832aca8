"""Counts over a folder of photos, in JSON's types."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vggexp.report.photos.alike import alike_across
from vggexp.report.photos.pixels import pixel_shares
from vggexp.report.photos.scan import PhotoFacts
from vggexp.sample.moving import KEPT
from vggexp.sample.record.objects import labels_of
from vggexp.sample.record.photos import Photos
from vggexp.sample.record.problem import Problem, findings
from vggexp.sample.record.record import Record
from vggexp.sample.record.splits import SPLITS
from vggexp.sample.window import Window

STRIDE = 32
"""Pixels of the network's input that one cell of VGG's last stage covers, in each direction."""


def counts(
    data: Photos, facts: Mapping[Path, PhotoFacts], image_size: tuple[int, int], resize: str = "squash"
) -> dict[str, Any]:
    """Everything that ``inspect`` reports.

    Args:
        image_size: (height, width) of the network's input, for the boxes that are small there.
        resize: how photos come to that size, ``data.resize``.
    """
    records = {record.name: record for record in data.listing.records}
    return {
        "photos": len(records),
        "splits": {split: sum(own == split for own in data.splits.values()) for split in SPLITS},
        "without_split": len(records) - len(data.splits),
        "classes": _classes(data),
        "pixel_classes": pixel_shares(data),
        "objects": sum(len(record.objects or ()) for record in records.values()),
        "photos_by_objects": _histogram(len(r.objects) for r in records.values() if r.objects is not None),
        "masks": sum(record.mask is not None for record in records.values()),
        "sizes": _histogram(f"{one.width} x {one.height}" for one in facts.values() if one.width),
        "kinds": _histogram(one.kind for one in facts.values() if one.kind),
        "turned_by_exif": sum(one.orientation != 1 for one in facts.values()),
        "boxes": _boxes(records.values(), facts, image_size, resize),
        "groups": len({record.group for record in records.values()} - {None}),
        "problems": [
            {"kind": each.kind, "what": each.what, "remedy": each.remedy, "places": list(each.places)}
            for each in findings([*data.problems, *_unreadable(facts, records.values())])
        ],
        "alike": [list(pair) for pair in alike_across(records, data.splits, facts)],
    }


def _classes(data: Photos) -> dict[str, dict[str, int]]:
    """By class in use and split: the photos that show it."""
    names = data.info.classes
    found: dict[str, Counter[str]] = {name: Counter() for name in names}
    for record in data.listing.records:
        if (split := data.splits.get(record.name)) is not None:
            for label in labels_of(record, data.label_table, difficult=True):
                found[names[label]][split] += 1
    return {name: {split: count[split] for split in SPLITS} for name, count in found.items()}


def _boxes(
    records: Iterable[Record], facts: Mapping[Path, PhotoFacts], image_size: tuple[int, int], resize: str
) -> dict[str, Any] | None:
    """The sizes of boxes as shares of the photo's sides, at deciles; how many are under one cell, or cut away."""
    sides, seen, lost = [], [], 0
    for record in records:
        one = facts.get(record.image)
        if one is None or not one.width:
            continue
        grid = record.size or (one.height, one.width)
        turned = one.height != one.width and grid == (one.width, one.height)  # the annotation counts stored pixels
        window = Window.of(grid, image_size[::-1] if turned else image_size, resize)
        unit = (grid[1], grid[0]) * 2 if record.unit == "share" else (1, 1, 1, 1)
        for found in record.objects or ():
            left, top, right, bottom = edges = [edge * scale for edge, scale in zip(found.box, unit, strict=True)]
            sides.append(((bottom - top) / grid[0], (right - left) / grid[1]))
            seen.append(((bottom - top) * window.scale[0], (right - left) * window.scale[1]))
            lost += window.share(*edges) < KEPT
    if not sides:
        return None
    shares = np.array(sides)
    small = np.array(seen).min(1) < STRIDE
    places = range(0, 101, 10)
    return {
        "count": len(sides),
        "height_deciles": [round(float(each), 4) for each in np.percentile(shares[:, 0], places)],
        "width_deciles": [round(float(each), 4) for each in np.percentile(shares[:, 1], places)],
        "area_deciles": [round(float(each), 4) for each in np.percentile(shares.prod(1), places)],
        "under_a_cell": int(small.sum()),
        "cut_away": int(lost),
    }


def _unreadable(facts: Mapping[Path, PhotoFacts], records: Iterable[Record]) -> list[Problem]:
    named = {record.image: record.name for record in records}
    return [
        Problem("error", "photo that cannot be read", f"{named[path]} ({one.error})", "mend it, or leave it out")
        for path, one in facts.items()
        if one.error
    ]


def _histogram(values: Iterable[Any]) -> dict[str, int]:
    """How often each value occurs, the most frequent first."""
    return {str(value): count for value, count in Counter(values).most_common()}
