"""Image files to tensors, whatever the file's name says it is.

JPEG goes through simplejpeg where it is installed (extra ``fast``), else through torchvision.io, whose decoders
torchvision 0.29 announces the end of, else through Pillow; all else goes through Pillow. The three stand on
libjpeg-turbo and give the same pixels, so which of them is there decides the time alone.
"""

import contextlib
import io
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torchvision.io
from PIL import Image, PngImagePlugin
from torch import Tensor

from vggexp.errors import DataError
from vggexp.sample.orientation import orientation_of, turn, turned_size
from vggexp.sample.pixels import DepthError, to_8_bits

JPEG = b"\xff\xd8\xff"
LIMIT = "VGGEXP_MAX_MEGAPIXELS"
Image.MAX_IMAGE_PIXELS = None  # ``header`` checks it, with an advice that helps
PngImagePlugin.MAX_TEXT_CHUNK = 2**26  # valid PNGs carry texts and colour profiles of megabytes
DECODE_JPEG: Callable[..., Tensor] | None = getattr(torchvision.io, "decode_jpeg", None)
HAS_SIMPLEJPEG = find_spec("simplejpeg") is not None

Decoded = TypeVar("Decoded")
Size = tuple[int, int]
"""height, width, in pixels."""
Shrink = Callable[[int, int], int]
"""(height, width) of a stored image to what its sides may be divided by: 1, 2, 4 or 8."""


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
class Photo:
    """An image as it was read, and what places an annotation on it."""

    image: Tensor
    """uint8, (3, H, W), upright; perhaps decoded at a smaller scale."""
    size: Size
    """(height, width) of the whole image, upright."""
    orientation: int
    """EXIF's, 1 to 8: how the file holds it."""


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
    """The size that ``read_shrunk`` gives a file; decodes its header only."""
    content = file_content(Path(path))
    size, orientation = header(path, content)
    size = turned_size(size, orientation)
    factor = shrink(*size) if content.startswith(JPEG) else 1
    return -(-size[0] // factor), -(-size[1] // factor)


def file_content(path: Path) -> bytes:
    """A file's bytes; DataError if it is missing or cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path} is missing; restore the file, or leave it out of the data set") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check its permissions") from error


def decoded(path: str | Path, decode: Callable[[], Decoded]) -> Decoded:
    """What ``decode`` gives; DataError with the file's name if it fails in any way."""
    try:
        with warnings.catch_warnings():
            # Pillow remarks on odd palettes and EXIF, torchvision 0.29 on its decoders' future; neither helps a user.
            warnings.simplefilter("ignore")
            return decode()
    except DepthError as error:
        raise DataError(f"{path} has {error}; convert it to 8 bits a channel") from error
    except Exception as error:  # On broken bytes Pillow raises nearly anything: OSError, SyntaxError, struct.error ...
        raise DataError(f"{path} is truncated or not an image; fetch it again, or leave it out") from error


def header(path: str | Path, content: bytes) -> tuple[Size, int]:
    """(height, width) as stored, and the EXIF orientation, from an image file's header.

    Raises:
        DataError: it is not an image, or one of more than ``max_megapixels``.
    """
    size, orientation = decoded(path, lambda: (_size(content), orientation_of(content)))
    pixels, most = size[0] * size[1] / 1e6, max_megapixels()
    if pixels > most:
        advice = f"make it smaller, or set the environment variable {LIMIT}"
        raise DataError(f"{path} has {pixels:.0f} megapixels, more than the {most:g} that are read; {advice}")
    return size, orientation


def max_megapixels() -> float:
    """The largest image that is read: the environment variable ``VGGEXP_MAX_MEGAPIXELS``, 256 if it is not set."""
    return float(os.environ.get(LIMIT, 256))


def _size(content: bytes) -> Size:
    if HAS_SIMPLEJPEG and content.startswith(JPEG):
        import simplejpeg

        with contextlib.suppress(ValueError):
            height, width = simplejpeg.decode_jpeg_header(content)[:2]  # a tenth of the time that Pillow takes
            return height, width
    width, height = Image.open(io.BytesIO(content)).size
    return height, width


def _read(path: str | Path, content: bytes, shrink: Shrink | None = None) -> Photo:
    stored, orientation = header(path, content)
    size = turned_size(stored, orientation)
    factor = shrink(*size) if shrink else 1
    pixels = decoded(path, lambda: _pixels(content, stored, factor))
    return Photo(turn(pixels, orientation), size, orientation)


def _pixels(content: bytes, size: Size, factor: int) -> Tensor:
    """The pixels as they are stored, a JPEG's sides divided by ``factor``."""
    if not content.startswith(JPEG):
        return torch.from_numpy(_rgb(content)).permute(2, 0, 1)
    if factor > 1:
        return _shrunk_jpeg(content, size, factor)
    if (pixels := _by_simplejpeg(content)) is not None:
        return pixels
    if (decode := DECODE_JPEG) is None:
        return torch.from_numpy(_rgb(content)).permute(2, 0, 1)
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
        decoded = simplejpeg.decode_jpeg(content, min_height=least[0], min_width=least[1])
    except ValueError:
        return None
    return torch.from_numpy(decoded).permute(2, 0, 1)


def opened(content: bytes) -> Image.Image:
    """An image that Pillow has read whole."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def _rgb(content: bytes) -> np.ndarray:
    image = opened(content)
    if image.mode == "F" or image.mode.startswith("I"):  # convert() would clip them to 0..255
        image = Image.fromarray(to_8_bits(np.asarray(image)))
    return np.array(image.convert("RGB"))
