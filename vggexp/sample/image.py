"""Reads image files as tensors; the content decides the format, not the file's name.

JPEG is decoded by simplejpeg if it is installed (extra ``fast``), otherwise by torchvision.io (whose decoders
torchvision 0.29 deprecates), otherwise by Pillow; Pillow decodes all other formats. The three use libjpeg-turbo and
give the same pixels, so the choice affects only the speed.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import torchvision.io
from PIL import Image
from torch import Tensor

from vggexp.sample.jpeg_header import JPEG, jpeg_header
from vggexp.sample.orientation import orientation_in, turn, turned_size
from vggexp.sample.picture import Header, Size, check_pixels, decoded, file_content, opened, opened_header, rgb

DECODE_JPEG: Callable[..., Tensor] | None = getattr(torchvision.io, "decode_jpeg", None)
HAS_SIMPLEJPEG = find_spec("simplejpeg") is not None

Shrink = Callable[[int, int], int]
"""Maps the (height, width) of an upright image to the factor its sides may be divided by: 1, 2, 4 or 8."""


def read_image(path: str | Path) -> Tensor:
    """One image as RGB, turned upright by its EXIF orientation: uint8, (3, H, W).

    Of an animation, the first frame is read; transparency is dropped. ``pixels.to_8_bits`` converts deeper pixels.

    Args:
        path: the file; its content decides how it is read, not its name.

    Raises:
        DataError: there is no such file, or it cannot be read, or it is no whole image, or one of too many pixels.
    """
    return _read(path, file_content(Path(path))).image


@dataclass(frozen=True)
class Photo(Header):
    """An image, and what is needed to place an annotation on it."""

    image: Tensor
    """uint8, (3, H, W), upright; perhaps decoded at a smaller scale."""


def read_shrunk(path: str | Path, shrink: Shrink) -> Photo:
    """As ``read_image``, but a JPEG is decoded at 1/2, 1/4 or 1/8 of its sides if ``shrink`` allows it.

    libjpeg then skips the frequencies that a smaller image cannot show. Sides are rounded up: 375 pixels become 188.

    Args:
        shrink: called with the upright size.
    """
    content = file_content(Path(path))
    return _read(path, content, shrink if content.startswith(JPEG) else None)


def shrunk_size(path: str | Path, shrink: Shrink) -> Size:
    """The size of the image that ``read_shrunk`` returns; only the header is decoded, except for a TIFF."""
    content = file_content(Path(path))
    if not content.startswith(JPEG):
        size, orientation = opened_header(path, content)
        return turned_size(size, orientation)
    size, orientation = _jpeg_header(path, content)
    size = turned_size(size, orientation)
    factor = shrink(*size)
    return -(-size[0] // factor), -(-size[1] // factor)


def _jpeg_header(path: str | Path, content: bytes) -> tuple[Size, int]:
    """(height, width) as stored, and the orientation; Pillow finds them if ``jpeg_header`` does not."""
    if (found := decoded(path, lambda: jpeg_header(content))) is None:
        return opened_header(path, content)
    check_pixels(path, found[0])
    return found


def _read(path: str | Path, content: bytes, shrink: Shrink | None = None) -> Photo:
    if not content.startswith(JPEG):
        image = opened(path, content)
        pixels = decoded(path, lambda: torch.from_numpy(rgb(image)).permute(2, 0, 1))
        stored, orientation = (image.height, image.width), decoded(path, lambda: orientation_in(image))
    else:
        stored, orientation = _jpeg_header(path, content)
        factor = shrink(*turned_size(stored, orientation)) if shrink else 1
        pixels = decoded(path, lambda: _jpeg_pixels(content, stored, factor))
    return Photo(turned_size(stored, orientation), orientation, turn(pixels, orientation))


def _jpeg_pixels(content: bytes, size: Size, factor: int) -> Tensor:
    """The pixels as they are stored, the sides divided by ``factor``."""
    if factor > 1:
        return _shrunk_jpeg(content, size, factor)
    if (pixels := _by_simplejpeg(content)) is not None:
        return pixels
    if (decode := DECODE_JPEG) is None:
        return torch.from_numpy(rgb(Image.open(io.BytesIO(content)))).permute(2, 0, 1)
    return decode(torch.frombuffer(bytearray(content), dtype=torch.uint8), mode="RGB")


def _shrunk_jpeg(content: bytes, size: Size, factor: int) -> Tensor:
    """Decoded by Pillow if simplejpeg does not take the file; torchvision cannot decode at a smaller scale."""
    least = -(-size[0] // factor), -(-size[1] // factor)
    if (pixels := _by_simplejpeg(content, least)) is not None:
        return pixels
    image = Image.open(io.BytesIO(content))
    image.draft(None, (size[1] // factor, size[0] // factor))
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)


def _by_simplejpeg(content: bytes, least: Size = (0, 0)) -> Tensor | None:
    """The pixels of a JPEG, at the smallest scale of at least ``least``; None if simplejpeg does not take the file.

    simplejpeg reads CMYK differently from the other decoders, and refuses files that they accept with a warning: such
        files are left to them.
    """
    if not HAS_SIMPLEJPEG:
        return None
    import simplejpeg

    try:
        if simplejpeg.decode_jpeg_header(content)[2] not in ("YCbCr", "Gray", "RGB"):
            return None
        found = simplejpeg.decode_jpeg(content, min_height=least[0], min_width=least[1])
    except ValueError:
        return None
    return torch.from_numpy(found).permute(2, 0, 1)
