"""A look at every file of a split before training: a broken test photo is found now, not after the last epoch."""

from concurrent.futures import ThreadPoolExecutor

from vggexp.errors import DataError
from vggexp.sample.files import Files

THREADS = 8
"""Opening a file is mostly waiting."""


def check_files(dataset: Files, split: str) -> None:
    """DataError if samples of a split cannot be read, as far as it shows without decoding (``Files.check``).

    It says why of the first one, and how many more there are.
    """

    def wrong(index: int) -> DataError | None:
        try:
            dataset.check(index)
        except DataError as error:
            return error
        return None

    with ThreadPoolExecutor(THREADS) as threads:
        found = [error for error in threads.map(wrong, range(len(dataset))) if error]
    if found:
        more = f" (the first of {len(found)} such samples)" if len(found) > 1 else ""
        raise DataError(f"split {split!r}: {found[0]}{more}") from found[0]
