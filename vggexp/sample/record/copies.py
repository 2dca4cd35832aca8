"""Finds photos that are in two splits, byte for byte: the test would then include training images."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Copies, Record

PROBE = 1024
"""Bytes that distinguish most files of the same size."""
THREADS, PIECE = 8, 256
"""Opening a file is mostly waiting; a thread takes as many files at a time as cost more than the handing over."""
Group = Sequence[Record]


def copies_across(
    records: Iterable[Record], splits: Mapping[str, str], copies: Copies | None = None
) -> list[Problem]:  # fmt: skip
    """A warning for each photo that is a copy of one in another split.

    Args:
        copies: all copies, if they are known; None: look for those that matter.
    """
    if copies is None:
        divided = [record for record in records if record.name in splits]
        copies = identical(divided, lambda group: len({splits[record.name] for record in group}) > 1)
    problems = []
    for group in copies:
        first, *others = [name for name in group if name in splits] or [""]
        for other in others:
            if splits[first] != splits[other]:
                pair = f"{first} ({splits[first]}) = {other} ({splits[other]})"
                problems.append(Problem("warning", "photo that is in two splits", pair, "leave one of them out"))
    return problems


def identical(records: Sequence[Record], matters: Callable[[Group], bool] = lambda group: len(group) > 1) -> Copies:
    """The names of photos whose files hold the same bytes, a tuple for each group of them.

    Few files are read: only those of one size, and of those first a piece from the middle.

    Args:
        matters: whether a group that may be copies is looked into.
    """
    groups: list[Group] = [records]
    for key in (_size, _probe, _digest):
        groups = [group for group in _alike(groups, key) if matters(group)]
    return tuple(tuple(record.name for record in group) for group in groups)


def _alike(groups: Sequence[Group], key: Callable[[str], Hashable]) -> list[Group]:
    """Each group divided by a key of its files; missing files are reported elsewhere."""
    paths = [str(record.image) for group in groups for record in group]
    pieces = (paths[start : start + PIECE] for start in range(0, len(paths), PIECE))
    with ThreadPoolExecutor(THREADS) as threads:
        keys = iter([found for piece in threads.map(lambda piece: [_tried(key, path) for path in piece], pieces)
                     for found in piece])  # fmt: skip
    found: list[Group] = []
    for group in groups:
        parts: dict[Hashable, list[Record]] = defaultdict(list)
        for record, own in zip(group, keys, strict=False):
            if own is not None:
                parts[own].append(record)
        found += parts.values()
    return found


def _tried(key: Callable[[str], Hashable], path: str) -> Hashable | None:
    try:
        return key(path)
    except OSError:
        return None


def _size(path: str) -> int:
    return os.stat(path).st_size  # noqa: PTH116  a Path costs more than the call


def _probe(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        file.seek(os.fstat(file.fileno()).st_size // 2)
        return file.read(PROBE)


def _digest(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123
        return hashlib.file_digest(file, "sha256").digest()
