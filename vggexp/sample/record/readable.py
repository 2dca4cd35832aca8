"""Leaves out photos that cannot be read: ``data.on_error=skip``."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from vggexp.errors import DataError
from vggexp.sample.record.photo_source import PhotoSource

ON_ERROR = ("stop", "skip")
THREADS = 8
"""Reading headers is mostly waiting."""
MOST = 0.01
"""The share of a split that may be left out."""


def unreadable(source: PhotoSource) -> dict[int, str]:
    """By index, why samples of a split cannot be read, as far as it shows without decoding pixels."""
    with ThreadPoolExecutor(THREADS) as threads:
        reasons = threads.map(lambda index: _reason(source, index), range(len(source)))
        return {index: reason for index, reason in enumerate(reasons) if reason}


def without(source: PhotoSource, split: str, broken: dict[int, str]) -> Sequence[int]:
    """The indices of the samples that are left.

    Raises:
        DataError: more than ``MOST`` of them are broken, and more than one.
    """
    if len(broken) > max(1, MOST * len(source)):
        raise DataError(
            f"{len(broken)} of {len(source)} photos in split {split!r} cannot be read, and data.on_error=skip leaves "
            f"out at most {MOST:.0%}; the first: {next(iter(broken.values()))}"
        )
    return [index for index in range(len(source)) if index not in broken]


def _reason(source: PhotoSource, index: int) -> str:
    try:
        source.check(index)
    except DataError as error:
        return str(error)
    return ""
