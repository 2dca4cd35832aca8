"""Leaves out photos that cannot be read: ``data.on_error=skip``."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from vggexp.errors import DataError
from vggexp.sample.record.photo_source import PhotoSource

ON_ERROR = ("stop", "skip")
THREADS = 8
"""Reading headers is mostly waiting."""
MOST = 0.01
"""The share of a split that may be left out; one photo may always be."""


def without_unreadable(source: PhotoSource, split: str) -> tuple[PhotoSource, dict[str, str]]:
    """The photos of a split that can be read, as far as it shows without decoding pixels; and why the others cannot.

    Raises:
        DataError: more than ``MOST`` of them cannot be read.
    """
    with ThreadPoolExecutor(THREADS) as threads:
        reasons = list(threads.map(lambda index: _reason(source, index), range(len(source))))
    broken = {record.name: reason for record, reason in zip(source.records, reasons, strict=True) if reason}
    if len(broken) > max(1, MOST * len(source)):
        raise DataError(
            f"{len(broken)} of {len(source)} photos in split {split!r} cannot be read, and data.on_error=skip leaves "
            f"out at most {MOST:.0%}; the first: {next(iter(broken.values()))}"
        )
    kept = [index for index, reason in enumerate(reasons) if not reason]
    records, targets = tuple(source.records[index] for index in kept), tuple(source.targets[index] for index in kept)
    return replace(source, records=records, targets=targets), broken


def _reason(source: PhotoSource, index: int) -> str:
    try:
        source.check(index)
    except DataError as error:
        return str(error)
    return ""
