"""Reads every photo of a folder, and stores the results so that the next call reads only what has changed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import track

from vggexp.run_folder import write_whole
from vggexp.sample.orientation import SWAPPED, orientation_in

THREADS = 4
"""Pillow decodes outside Python's lock."""
VERSION = 1
"""Of what is remembered."""


@dataclass(frozen=True)
class PhotoFacts:
    """What one photo file is."""

    bytes: int
    height: int = 0
    """Upright, pixels; 0 if the file cannot be read."""
    width: int = 0
    orientation: int = 1
    kind: str = ""
    """JPEG, PNG ..."""
    look: int = 0
    """A hash of 64 bits of what it shows: similar photos differ in few bits."""
    error: str = ""
    """Why the file cannot be read."""


def scan(paths: Sequence[Path], memory: Path | None) -> dict[Path, PhotoFacts]:
    """The facts of each photo.

    Args:
        memory: the folder where facts are kept from one call to the next; None: keep none.
    """
    kept = _Kept(paths, memory)
    known = {path: facts for path in paths if (facts := kept.get(path)) is not None}
    new = [path for path in paths if path not in known]
    with ThreadPoolExecutor(THREADS) as threads:
        read = track(threads.map(read_facts, new), "reading photos", len(new), transient=True, disable=len(new) < 500)
        known |= dict(zip(new, read, strict=True))
    kept.put(known)
    return {path: known[path] for path in paths}


def read_facts(path: Path) -> PhotoFacts:
    """The facts of one file, from its header and, at a reduced scale, its pixels."""
    size = path.stat().st_size if path.is_file() else 0
    try:
        with Image.open(path) as image:
            kind, stored = str(image.format), image.size
            image.draft("L", (64, 64))  # a JPEG is decoded at an eighth of its sides
            small = image.convert("L").resize((9, 8), Image.Resampling.BOX)
            turned = orientation_in(image)
    except Exception as error:  # of broken bytes Pillow raises nearly anything
        return PhotoFacts(size, error=str(error).split("\n")[0] or type(error).__name__)
    width, height = stored[::-1] if turned in SWAPPED else stored
    return PhotoFacts(size, height, width, turned, kind, look_of(np.asarray(small, np.int16)))


def look_of(gray: np.ndarray) -> int:
    """The difference hash of 8 x 9 gray values: one bit for each pair of neighbours in a row."""
    return int("".join("1" if bit else "0" for bit in (gray[:, 1:] > gray[:, :-1]).ravel()), 2)


class _Kept:
    """Facts on disk, by path, size and time of each file."""

    def __init__(self, paths: Iterable[Path], memory: Path | None) -> None:
        first = next(iter(paths), None)
        name = blake2b(str(first and first.parent.absolute()).encode(), digest_size=8).hexdigest()
        self._file = memory / f"{name}.json" if memory is not None else None
        self._facts: Mapping[str, Sequence[object]] = {}
        if self._file is not None:
            with suppress(OSError, ValueError):
                content = json.loads(self._file.read_text(encoding="utf-8"))
                self._facts = content["facts"] if content.get("version") == VERSION else {}

    def get(self, path: Path) -> PhotoFacts | None:
        found = self._facts.get(str(path))
        if found is None or found[0] != _stamp(path):
            return None
        return PhotoFacts(*found[1:])  # type: ignore[arg-type]

    def put(self, facts: Mapping[Path, PhotoFacts]) -> None:
        if self._file is None:
            return
        rows = {str(path): [_stamp(path), *asdict(one).values()] for path, one in facts.items()}
        with suppress(OSError):  # a cache that cannot be written costs time, nothing else
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._file, json.dumps({"version": VERSION, "facts": rows}))


def _stamp(path: Path) -> str:
    try:
        stat = path.stat()
    except OSError:
        return ""
    return f"{stat.st_size}/{stat.st_mtime_ns}"
