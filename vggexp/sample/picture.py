"""Opens image files as bytes and with Pillow; every error names the file."""

import io
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from vggexp.errors import ConfigError, DataError
from vggexp.sample.foreign import foreign
from vggexp.sample.orientation import orientation_in
from vggexp.sample.pixels import DepthError, to_8_bits

LIMIT = "VGGEXP_MAX_MEGAPIXELS"
Image.MAX_IMAGE_PIXELS = None  # ``check_pixels`` does this, with more useful advice
PngImagePlugin.MAX_TEXT_CHUNK = 2**26  # valid PNGs contain texts and colour profiles of megabytes

Decoded = TypeVar("Decoded")
Size = tuple[int, int]
"""height, width, in pixels."""


@dataclass(frozen=True)
class Header:
    """What is needed to place an annotation on an image."""

    size: Size
    """(height, width) of the whole image, upright."""
    orientation: int
    """EXIF's, 1 to 8: how the file holds it."""


def file_content(path: Path) -> bytes:
    """A file's bytes. Raises DataError if it is missing or cannot be read."""
    with _reading(path):
        return path.read_bytes()


def file_ends(path: Path, length: int) -> tuple[bytes, bytes, int]:
    """A file's first and last bytes, at most ``length`` of each, and where the last ones begin.

    Raises:
        DataError: the file is missing or cannot be read.
    """
    with _reading(path), path.open("rb") as file:
        head = file.read(length)
        if len(head) < length:
            return head, head, 0
        start = file.seek(max(0, file.seek(0, os.SEEK_END) - length))
        return head, file.read(), start


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{path} is missing; restore the file, or leave it out of the data set") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check its permissions") from error


def decoded(path: str | Path, decode: Callable[[], Decoded]) -> Decoded:
    """The result of ``decode``. Any failure becomes a DataError with the file's name."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd palettes and EXIF, torchvision 0.29 of deprecated decoders; neither helps a user.
            warnings.simplefilter("ignore")
            return decode()
    except DepthError as error:
        raise DataError(f"{path} has {error}; convert it to 8 bits a channel") from error
    except UnidentifiedImageError as error:
        what = foreign(Path(path).read_bytes()) or "truncated or not an image; fetch it again, or leave it out"
        raise DataError(f"{path} is {what}") from error
    except Exception as error:  # for broken bytes Pillow raises nearly any kind
        raise DataError(f"{path} is truncated or not an image; fetch it again, or leave it out") from error


def opened(path: str | Path, content: bytes) -> Image.Image:
    """A Pillow image, pixels not yet loaded. Raises DataError for no image, or more than ``max_megapixels``."""
    image = decoded(path, lambda: Image.open(io.BytesIO(content)))
    check_pixels(path, (image.height, image.width))
    return image


def max_megapixels() -> float:
    """The size limit of images, from the environment variable ``VGGEXP_MAX_MEGAPIXELS``; 256 if it is not set."""
    value = os.environ.get(LIMIT, "256")
    try:
        return float(value)
    except ValueError:
        raise ConfigError(f"{LIMIT}={value} is not a number; it is the most megapixels of an image") from None


def opened_header(path: str | Path, content: bytes) -> tuple[Size, int]:
    """(height, width) as stored, and the orientation, by Pillow."""
    return header_in(path, opened(path, content), content)


def header_in(path: str | Path, image: Image.Image, content: bytes) -> tuple[Size, int]:
    """As ``opened_header``. Pillow turns a TIFF while it loads the pixels, and a PNG may have its EXIF after them."""
    if image.format == "TIFF" or (b"eXIf" in content and "exif" not in image.info):
        decoded(path, image.load)
    return (image.height, image.width), decoded(path, lambda: orientation_in(image))


def check_pixels(path: str | Path, size: Size) -> None:
    """Raise DataError if an image of this size has more than ``max_megapixels``."""
    pixels, most = size[0] * size[1] / 1e6, max_megapixels()
    if pixels > most:
        advice = f"make it smaller, or set the environment variable {LIMIT}"
        raise DataError(f"{path} has {pixels:.0f} megapixels, more than the {most:g} that are read; {advice}")


def rgb(image: Image.Image) -> np.ndarray:
    """Its pixels as they are stored, uint8 (H, W, 3)."""
    image.load()
    if image.mode == "F" or image.mode.startswith("I"):  # convert() would clip them to 0..255
        image = Image.fromarray(to_8_bits(np.asarray(image)))
    return np.array(image.convert("RGB"))
