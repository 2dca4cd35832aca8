"""The index of a large folder: stores its listing, so that the next start reads none of its files.

There is one index file for each folder, reader and set of the reader's keys. It holds the listing and the folder's
stamp, taken before the folder was read. If the stamp, the program or Pillow's version differs, the folder is read
again.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import PIL

from vggexp.distributed.whole import whole
from vggexp.sample.record.copies import identical
from vggexp.sample.record.folder_stamp import stamp
from vggexp.sample.record.listing_file import OddListingError, from_bytes, to_bytes
from vggexp.sample.record.record import Listing

SLOW, MANY = 0.5, 2000
"""Seconds, or photos, from which on a listing is stored: reading a smaller folder is as fast as reading the index."""
KEY = 32
"""Bytes of a hash."""
CODE = ("data", "sample")
"""The rooms whose code decides the listing's content."""


@dataclass(frozen=True)
class Kept:
    """The index file of one folder.

    Args:
        file: where it is kept.
        key: what it depends on, as it was before the folder was read.
        is_settled: whether it may be kept.
    """

    file: Path
    key: bytes
    is_settled: bool

    def get(self) -> memoryview | None:
        """The stored listing; None if there is none, if it is damaged, or if something it depends on has changed."""
        with suppress(OSError), self.file.open("rb") as file:
            if file.read(KEY) == self.key:
                check, content = file.read(KEY), file.read()
                return memoryview(content) if _hash(content) == check else None
        return None

    def put(self, parts: Sequence[bytes | memoryview]) -> None:
        """Store the listing; a failure to write is ignored, because it only costs time."""
        if self.is_settled:
            with suppress(OSError):
                self.file.parent.mkdir(parents=True, exist_ok=True)
                with whole(self.file) as temporary, temporary.open("wb") as file:
                    file.writelines((self.key, _hash(*parts), *parts))


def kept_at(index: str, what: str, root: Path, words: Sequence[Any], beside: Sequence[Path] = ()) -> Kept:
    """The place for what a reader finds.

    Args:
        index: the folder of the cache.
        what: the reader's module.
        root: the folder that is read.
        words: all words that decide what is found.
        beside: files and folders that are read, too.
    """
    own = json.dumps([what, str(root), str(root.resolve()), words], default=str)
    name = blake2b(own.encode(), digest_size=16).hexdigest()
    found = stamp([root, *(path for path in beside if not path.resolve().is_relative_to(root.resolve()))])
    key = _hash(f"{own} {_program()} {_source_of(what)} {found.digest}".encode())
    return Kept(Path(index).expanduser() / "listing" / name, key, found.is_settled)


def kept_listing(
    read: Callable[..., Listing], root: Path, *words: Any, index: str | None, beside: Sequence[Path] = ()
) -> Listing:
    """``read(root, *words)``, from the cache if nothing has changed since.

    Args:
        index: the folder of the cache; None: keep nothing.
        beside: files and folders that are read beside the root.

    Raises:
        ConfigError, DataError: as ``read``.
    """
    if index is None:
        return read(root, *words)
    kept = kept_at(index, read.__module__, root, words, beside)
    if (content := kept.get()) is not None:
        return from_bytes(content, root)
    began = time.perf_counter()
    listing = read(root, *words)
    if time.perf_counter() - began < SLOW and len(listing.records) < MANY:
        return listing
    if any(problem.kind == "error" for problem in listing.problems):
        return listing  # a momentary failure of the disk must not be stored
    listing = replace(listing, copies=identical(listing.records))
    with suppress(OddListingError):
        kept.put(to_bytes(listing, root))
    return listing


def _hash(*parts: bytes | memoryview) -> bytes:
    digest = blake2b(digest_size=KEY)
    for part in parts:
        digest.update(part)
    return digest.digest()


@cache
def _program() -> str:
    """A hash of the code that reads: nobody has to remember that what is kept has become wrong."""
    digest, top = blake2b(PIL.__version__.encode(), digest_size=16), Path(__file__).parents[2]
    for path in sorted(path for room in CODE for path in (top / room).rglob("*.py")):
        digest.update(path.read_bytes())
    return f"{sys.version} {digest.hexdigest()}"


def _source_of(module: str) -> str:
    """A hash of a reader's own module, which may be the user's."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return _hash(Path(file).read_bytes()).hex() if file else ""
