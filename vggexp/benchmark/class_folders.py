"""A folder of class folders with many files: no photos, but as many bytes each, which is all that an index sees."""

import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLASSES = 100
BYTES = (40_000, 160_000)
"""The smallest and the largest file; most of a file is a hole, so that 100,000 of them take 0.4 GB of the disk."""
AN_HOUR_AGO = 3600


@contextmanager
def class_folders(count: int, seed: int = 0) -> Iterator[Path]:
    """The folder, for as long as the context lasts; no two files are alike."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="vggexp-") as folder:
        root = Path(folder)
        for number in range(count):
            path = root / f"class {number % CLASSES:03}" / f"{number:06}.jpg"
            path.parent.mkdir(exist_ok=True)
            with path.open("wb") as file:
                size = draw.randint(*BYTES)
                file.truncate(size)
                file.seek(size // 2)
                file.write(f"{number}".encode())
            made = path.stat().st_mtime - AN_HOUR_AGO  # what is seconds old may change yet, and is not kept
            os.utime(path, (made, made))
        yield root
