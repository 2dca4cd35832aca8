"""Checks every file of a split before training, so that a broken test photo is found before the first epoch."""

from concurrent.futures import ThreadPoolExecutor

from vggexp.errors import DataError
from vggexp.sample.files import Files
from vggexp.sample.moving import KEPT
from vggexp.sample.picture import Size
from vggexp.sample.window import Window

THREADS = 8
"""Opening a file is mostly waiting."""


def check_crop(dataset: Files, split: str, size: Size, objects: bool) -> str:
    """One line for the user on the boxes of a split that ``data.resize=crop`` cuts away; "" if none.

    Args:
        size: (height, width) of the network's image.
        objects: whether the samples have any number of boxes, which may be left out.

    Raises:
        DataError: the only box of a sample is cut away: its task has nothing to score there.
    """

    def lost(index: int) -> tuple[int, int, int]:
        """The number of boxes that are cut away completely, that are left out, and of all boxes."""
        if (found := dataset.boxes(index)) is None:
            return 0, 0, 0
        window = Window.of(found[0], size, "crop")
        shares = [window.share(*box) for box in found[1].tolist()]
        return sum(share <= 0 for share in shares), sum(share < KEPT for share in shares), len(shares)

    with ThreadPoolExecutor(THREADS) as threads:
        counts = list(threads.map(lost, range(len(dataset))))
    whole, left_out, total = (sum(each) for each in zip(*counts, strict=True))
    advice = "keep whole photos with data.resize=letterbox"
    if whole and not objects:
        place = next(index for index, (gone, _, _) in enumerate(counts) if gone)
        first = dataset.reader.files(place)[0]
        raise DataError(
            f"data.resize=crop cuts away {whole} of {total} boxes of {split}, the first of {first}; {advice}"
        )
    if left_out and objects:
        return (
            f"data.resize=crop leaves out {left_out} of {total} objects of {split}, of which less than {KEPT:.0%} is "
            f"in sight; {advice}"
        )
    return ""


def check_files(dataset: Files, split: str) -> None:
    """Raise DataError if samples of a split cannot be read, as far as this shows without decoding (``Files.check``).

    The message gives the reason for the first one, and the number of the others.
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
