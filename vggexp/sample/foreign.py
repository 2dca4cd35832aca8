"""Identifies intact image files of a format or pixel type that vggexp does not read."""

import io

from PIL import TiffImagePlugin

BRANDS = {"HEIC": (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), "AVIF": (b"avif", b"avis")}
"""By format: the brands of ISO 14496-12 that stand behind "ftyp"."""
STARTS = {
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"8BPS": "Photoshop",
    b"<svg": "SVG",
    b"FUJIFILMCCD-RAW": "RAW",
}
TIFFS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
NUMBERS = {1: "whole numbers", 2: "signed whole numbers", 3: "floating-point numbers"}
"""By TIFF's tag SampleFormat."""
BITS, SAMPLE_FORMAT = 258, 339


def foreign(content: bytes) -> str | None:
    """What the file is and what to do, in one clause; None if the format is not recognised.

    >>> foreign(b"....ftypheic........")
    'an image of the format HEIC, which is not read; convert it to JPEG or PNG'
    """
    formats = [name for name, brands in BRANDS.items() if content[4:8] == b"ftyp" and content[8:12] in brands]
    formats += [name for start, name in STARTS.items() if content.startswith(start)]
    if formats:
        return f"an image of the format {formats[0]}, which is not read; convert it to JPEG or PNG"
    return _tiff(content) if content.startswith(TIFFS) else None


def _tiff(content: bytes) -> str | None:
    """Its channels and their numbers."""
    try:
        header = content[: 16 if b"+" in content[:4] else 8]  # "+" is BigTIFF's, whose numbers have 64 bits
        tags = TiffImagePlugin.ImageFileDirectory_v2(header)
        file = io.BytesIO(content)
        file.seek(tags.next)
        tags.load(file)
        bits = tags[BITS]
        numbers = NUMBERS.get(tags.get(SAMPLE_FORMAT, (1,))[0], "other numbers")
    except Exception:  # for broken bytes Pillow raises nearly any exception; then it is no intact TIFF
        return None
    channels = f"{len(bits)} channel{'s' if len(bits) > 1 else ''} of {bits[0]}-bit {numbers}"
    return f"a TIFF with {channels}, which is not read; convert it to 8 bits a channel"
