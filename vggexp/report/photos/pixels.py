"""Counts the pixels of each class in the masks."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from vggexp.errors import UserError
from vggexp.report.photos.scan import THREADS
from vggexp.sample.record.photos import Photos
from vggexp.types import VOID

Counts = NDArray[np.int64]


def pixel_shares(data: Photos) -> dict[str, dict[str, float]]:
    """By pixel class, "void" included: the share of all pixels, and the share of the photos that show it.

    Masks that cannot be read are left out; they are problems of their own.
    """
    names = data.info.mask_classes
    total, present, photos = np.zeros(256, np.int64), np.zeros(256, np.int64), 0
    for count in _counts(data) if names else ():
        total += count
        present += count > 0
        photos += 1
    labels = [*enumerate(names), (VOID, "void")]
    pixels = max(1, int(total.sum()))
    return {
        name: {"pixels": float(total[label] / pixels), "photos": float(present[label] / max(1, photos))}
        for label, name in labels
        if photos
    }


def _counts(data: Photos) -> Iterator[Counts]:
    masked = data.masked()
    with ThreadPoolExecutor(THREADS) as threads:
        found = threads.map(_count, masked)
        for count in track(found, "reading masks", len(masked), transient=True, disable=len(masked) < 500):
            if count is not None:
                yield count


def _count(read: Callable[[], NDArray[np.uint8]]) -> Counts | None:
    try:
        return np.bincount(read().ravel(), minlength=256)
    except UserError:
        return None
