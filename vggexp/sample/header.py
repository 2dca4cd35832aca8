"""What an image file's header says, and whether the file is complete, without decoding its pixels."""

from pathlib import Path

from PIL import Image

from vggexp.sample.image import read_image
from vggexp.sample.jpeg_header import END, JPEG, frame_end, jpeg_header
from vggexp.sample.orientation import turned_size
from vggexp.sample.picture import Header, Size, check_pixels, decoded, file_content, file_ends, header_in

LENGTH = 2**16
"""Bytes that are read at each end of a file."""
PNG, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND"


def read_header(path: Path) -> Header:
    """Size and orientation of an image file.

    For JPEG and PNG, a file that is cut off is an error; for other formats only the header is checked.

    Raises:
        DataError: there is no such file, or it cannot be read, or it is no whole image, or one of too many pixels.
    """
    stored, orientation = stored_header(path)
    return Header(turned_size(stored, orientation), orientation)


def stored_header(path: Path) -> tuple[Size, int]:
    """As ``read_header``: (height, width) as stored, and the orientation."""
    head, tail, start = file_ends(path, LENGTH)
    found = decoded(path, lambda: jpeg_header(head)) if head.startswith(JPEG) else None
    if found is None:
        found = _by_pillow(path, tail)
    check_pixels(path, found[0])
    if not _has_end(path, head, tail, start):
        read_image(path)  # only a decoder knows whether all pixels are there
    return found


def _by_pillow(path: Path, tail: bytes) -> tuple[Size, int]:
    with decoded(path, lambda: Image.open(path)) as image:
        check_pixels(path, (image.height, image.width))
        return header_in(path, image, tail)


def _has_end(path: Path, head: bytes, tail: bytes, start: int) -> bool:
    """Whether the end-of-image marker is there; other data may follow it, such as a camera's video clip.

    Args:
        head, tail, start: the first bytes, the last bytes, and where these begin.
    """
    if head.startswith(PNG):
        return PNG_END in tail
    if not head.startswith(JPEG):
        return True
    pixels = frame_end(head)
    if pixels and tail.find(END, max(0, pixels - start)) >= 0:
        return True
    content = file_content(path)
    pixels = frame_end(content)
    return bool(pixels) and content.find(END, pixels) >= 0
