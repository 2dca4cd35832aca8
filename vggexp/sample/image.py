"""Image files to tensors, whatever the file's name says it is.

JPEG goes through simplejpeg where it is installed (extra ``fast``), else through torchvision.io, whose decoders
torchvision 0.29 announces the end of, else through Pillow; all else goes through Pillow. The three stand on
libjpeg-turbo and give the same pixels, so which of them is there decides the time alone.
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
"""(height, width) of an upright image to what its sides may be divided by: 1, 2, 4 or 8."""


def read_image(path: str | Path) -> Tensor:
    """One image as RGB, upright as its EXIF says: uint8, (3, H, W).

    Animations give their first frame; transparency is dropped. Deeper pixels become 8 bits by ``pixels.to_8_bits``.

    Args:
        path: the file; its content decides how it is read, not its name.

    Raises:
        DataError: there is no such file, or it cannot be read, or it is no whole image, or one of too many pixels.
    """
    return _read(path, file_content(Path(path))).image


@dataclass(frozen=True)
class Photo(Header):
    """An image as it was read, and what places an annotation on it."""

    image: Tensor
    """uint8, (3, H, W), upright; perhaps decoded at a smaller scale."""


def read_shrunk(path: str | Path, shrink: Shrink) -> Photo:
    """As ``read_image``, a JPEG decoded at a half, a quarter or an eighth of its sides where ``shrink`` allows it.

    libjpeg then leaves out the frequencies that a smaller image cannot show. A side becomes the next whole number of
    pixels: 375 become 188.

    Args:
        shrink: asked with the upright size.
    """
    content = file_content(Path(path))
    return _read(path, content, shrink if content.startswith(JPEG) else None)


def shrunk_size(path: str | Path, shrink: Shrink) -> Size:
    """The size that ``read_shrunk`` gives a file; decodes its header only, but for a TIFF's."""
    content = file_content(Path(path))
    if not content.startswith(JPEG):
        size, orientation = opened_header(path, content)
        return turned_size(size, orientation)
    size, orientation = _jpeg_header(path, content)
    size = turned_size(size, orientation)
    factor = shrink(*size)
    return -(-size[0] // factor), -(-size[1] // factor)


def _jpeg_header(path: str | Path, content: bytes) -> tuple[Size, int]:
    """(height, width) as stored, and the orientation; Pillow is asked where the walk finds none."""
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
    """By Pillow where simplejpeg does not do it: torchvision cannot."""
    least = -(-size[0] // factor), -(-size[1] // factor)
    if (pixels := _by_simplejpeg(content, least)) is not None:
        return pixels
    image = Image.open(io.BytesIO(content))
    image.draft(None, (size[1] // factor, size[0] // factor))
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)


def _by_simplejpeg(content: bytes, least: Size = (0, 0)) -> Tensor | None:
    """The pixels of a JPEG, at the smallest scale of at least ``least``; None for one that it does not take.

    It reads CMYK unlike the others, and refuses bytes that they only frown at: they shall decide what such a file is.
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
