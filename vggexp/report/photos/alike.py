"""Photos in different splits that look alike, such as neighbouring frames of a video."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from vggexp.report.photos.scan import PhotoFacts
from vggexp.sample.record.record import Record

BITS = 4
"""Photos whose looks differ in at most this many of 64 bits look alike."""
BANDS = 5
"""One more than ``BITS``: of that many bands of the hash, one is then equal."""
MOST = 200
"""Maximum number of pairs that are reported."""


def alike_across(
    records: Mapping[str, Record], splits: Mapping[str, str], facts: Mapping[Path, PhotoFacts]
) -> list[tuple[str, str, int]]:
    """Pairs of photos of different splits that look alike, with the bits in which they differ, the nearest first.

    Plain photos, whose hash is nearly all zeros or ones, are left out: they all look alike.
    """
    looks = {
        name: facts[record.image].look for name, record in records.items() if name in splits and record.image in facts
    }
    looks = {name: look for name, look in looks.items() if 4 < look.bit_count() < 60}
    found: dict[tuple[str, str], int] = {}
    for band in range(BANDS):
        groups: dict[int, list[str]] = defaultdict(list)
        for name, look in looks.items():
            groups[_band(look, band)].append(name)
        for names in groups.values():
            for place, one in enumerate(names):
                for other in names[place + 1 : place + 1 + MOST]:
                    distance = (looks[one] ^ looks[other]).bit_count()
                    if splits[one] != splits[other] and distance <= BITS:
                        found[min(one, other), max(one, other)] = distance
    pairs = sorted((distance, *pair) for pair, distance in found.items())
    return [(one, other, distance) for distance, one, other in pairs[:MOST]]


def _band(look: int, band: int) -> int:
    width = -(-64 // BANDS)
    return look >> (band * width) & (1 << width) - 1
