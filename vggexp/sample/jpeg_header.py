"""Reads size and orientation of a JPEG from the segments before its pixels, in microseconds and without a decoder."""

import re
from collections.abc import Iterator

from PIL import Image

from vggexp.sample.orientation import exif_orientation

JPEG = b"\xff\xd8\xff"

END = b"\xff\xd9"
"""The end-of-image marker; within the pixel data, a byte 0xff is always followed by 0 or by a restart marker."""

_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')
_APP1, _SCAN, _PADDING = 0xE1, 0xDA, 0xFF
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The markers of the segments that hold the size, one for each kind of compression (ITU T.81, table B.1)."""


def jpeg_header(content: bytes) -> tuple[tuple[int, int], int] | None:
    """((height, width) as stored, orientation) from a JPEG's first bytes; None if they do not contain the size.

    The orientation is EXIF's, wherever its segment stands; without EXIF, it is XMP's, as in Pillow.
    """
    exif = xmp = 0
    for marker, start, end in _segments(content):
        if marker == _APP1 and content.startswith(_EXIF, start):
            exif = exif or _orientation(content[start:end])
        elif marker == _APP1 and content.startswith(_XMP, start):
            found = _XMP_ORIENTATION.search(content, start, end)
            xmp = xmp or int(found[1] if found else 0)
        elif marker in _FRAMES:
            height, width = (int.from_bytes(content[start + k : start + k + 2], "big") for k in (1, 3))
            return ((height, width), exif_orientation(exif or xmp)) if height and width else None
    return None


def frame_end(content: bytes) -> int:
    """The earliest offset at which a JPEG's pixel data can begin; 0 if its first bytes do not show it.

    An end marker before this offset belongs to an embedded thumbnail.
    """
    return next((end for marker, _, end in _segments(content) if marker in _FRAMES), 0)


def _segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of the data of each segment that is there as a whole, up to the pixels."""
    place = 2
    while place + 4 <= len(content) and content[place] == 0xFF and (marker := content[place + 1]) != _SCAN:
        if marker == _PADDING:
            place += 1
            continue
        end = place + 2 + int.from_bytes(content[place + 2 : place + 4], "big")
        if end > len(content):
            return
        yield marker, place + 4, end
        place = end


def _orientation(segment: bytes) -> int:
    """0 if there is none."""
    exif = Image.Exif()
    try:
        exif.load(segment)
    except Exception:  # damaged metadata can raise nearly any exception, although the pixels are intact
        return 0
    return exif_orientation(exif.get(0x0112), none=0)
