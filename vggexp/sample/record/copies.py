"""Photos that stand in two splits, byte for byte: what was trained on is then tested, too."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path

from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Record

PROBE = 1024
"""Bytes that tell most files of one size apart."""


def copies_across(records: Iterable[Record], splits: Mapping[str, str]) -> list[Problem]:
    """A warning for each photo that is a copy of one in another split.

    Few files are read: only those of one size, and of those first a piece from the middle.
    """
    groups: Sequence[Sequence[Record]] = [[record for record in records if record.name in splits]]
    for key in (_size, _probe, _digest):
        groups = [group for whole in groups for group in _alike(whole, key, splits)]
    problems = []
    for first, *others in groups:
        for other in others:
            if splits[first.name] != splits[other.name]:
                pair = f"{first.name} ({splits[first.name]}) = {other.name} ({splits[other.name]})"
                problems.append(Problem("warning", "photo that is in two splits", pair, "leave one of them out"))
    return problems


def _alike(records: Sequence[Record], key: Callable[[Path], Hashable], splits: Mapping[str, str]) -> list[list[Record]]:
    """Groups of one key that are in several splits."""
    groups: dict[Hashable, list[Record]] = defaultdict(list)
    for record in records:
        try:
            groups[key(record.image)].append(record)
        except OSError:
            continue  # a missing file is told of elsewhere
    return [group for group in groups.values() if len({splits[record.name] for record in group}) > 1]


def _size(path: Path) -> int:
    return path.stat().st_size


def _probe(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(path.stat().st_size // 2)
        return file.read(PROBE)


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
