"""Scans mask files: each value or colour with its number of pixels, and the files' kinds and sizes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image

from vggexp.errors import DataError, one_line
from vggexp.sample.orientation import SWAPPED, orientation_in
from vggexp.sample.picture import decoded, file_content, opened
from vggexp.sample.record.mask_labels import is_gray, values_in
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Record

THREADS = 4
"""Threads help because decoding releases Python's lock and reading waits for the disk."""
MOST_COLORS = 256
"""A mask with more colours is a photo, or was smoothed."""
Color = tuple[int, int, int]


@dataclass(frozen=True)
class MaskFile:
    """What one mask holds: pixels by value, or by colour."""

    values: Mapping[int, int]
    """Empty where the file has colours."""
    colors: Mapping[Color, int] | None
    """None where it has gray values or palette indices; {} for more than ``MOST_COLORS``."""
    is_jpeg: bool


Scan = Mapping[str, MaskFile]
"""By a mask's path below the root."""


def scanned(records: Sequence[Record], colors: bool, problems: list[Problem]) -> dict[str, MaskFile]:
    """Read every pixel of every mask; masks that are unreadable, or differ in size from their photo, are errors.

    Args:
        records: photos with masks; ``annotation`` is the mask's path below the root.
        colors: take gray values and palette indices as colours, too.
    """
    with ThreadPoolExecutor(THREADS) as threads:
        looked = threads.map(lambda record: _look(record, colors), records)
        results = list(zip(records, looked, strict=True))
    found: dict[str, MaskFile] = {}
    for record, result in results:
        if isinstance(result, Problem):
            problems.append(result)
        else:
            found[record.annotation] = result
    return found


def _look(record: Record, colors: bool) -> MaskFile | Problem:
    assert record.mask is not None
    try:
        mask = opened(record.mask, file_content(record.mask))
        if odd := _other_size(record, mask):
            return odd
        return _counted(mask, record.mask, colors)
    except DataError as error:
        return Problem("error", one_line(error), record.annotation)


def _counted(mask: Image.Image, path: Path, colors: bool) -> MaskFile:
    is_jpeg = mask.format == "JPEG"
    if not colors and decoded(path, lambda: is_gray(mask)):
        counts = np.bincount(values_in(mask, path).ravel(), minlength=256)
        return MaskFile({int(value): int(counts[value]) for value in counts.nonzero()[0]}, None, is_jpeg)
    pairs = decoded(path, lambda: mask.convert("RGB").getcolors(MOST_COLORS)) or ()
    return MaskFile({}, {cast("Color", color): count for count, color in pairs}, is_jpeg)


def _other_size(record: Record, mask: Image.Image) -> Problem | None:
    """The error of a mask that has neither its photo's stored size nor its upright one; reads the photo's header."""
    with decoded(record.image, lambda: Image.open(record.image)) as photo:
        turned = orientation_in(photo) in SWAPPED
        if mask.size == photo.size or (turned and mask.size == photo.size[::-1]):
            return None
        sizes = " x ".join(map(str, mask.size)), " x ".join(map(str, photo.size))
    where = f"{record.annotation} ({sizes[0]} pixels, {record.name} {sizes[1]})"
    return Problem("error", "mask of another size than its photo", where, "export it at the photo's size")


def pixels_of(scan: Scan) -> Counter[int]:
    """Pixels by value over all files."""
    total: Counter[int] = Counter()
    for file in scan.values():
        total.update(file.values)
    return total


def colors_of(scan: Scan) -> Counter[Color]:
    """Pixels by colour over all files."""
    total: Counter[Color] = Counter()
    for file in scan.values():
        total.update(file.colors or {})
    return total
