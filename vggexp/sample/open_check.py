"""A look at every file of a split before training: a broken test photo is found now, not after the last epoch."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from vggexp.errors import DataError
from vggexp.sample.files import Files

THREADS = 8
"""Opening a file is mostly waiting."""


def check_files_open(dataset: Files, split: str) -> None:
    """Read the header of every image and mask of a split.

    A file that is cut off later on is not found: that takes decoding it.

    Raises:
        DataError: some cannot be opened as images; it names the first, and says how many there are.
    """
    paths = {path for index in range(len(dataset)) for path in dataset.reader.files(index) if path.suffix != ".xml"}
    ordered = sorted(paths)
    with ThreadPoolExecutor(THREADS) as threads:
        broken = [path for path, opens in zip(ordered, threads.map(_opens, ordered), strict=True) if not opens]
    if broken:
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        advice = "fetch it again, or leave it out"
        raise DataError(f"{broken[0]} of split {split!r} is not an image that opens{more}; {advice}")


def _opens(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            return min(image.size) > 0
    except Exception:  # on broken bytes Pillow raises nearly anything
        return False
