"""Image files to tensors, whatever the file's name says it is.

JPEG goes through simplejpeg where it is installed (extra ``fast``), else through torchvision.io, whose decoders
torchvision 0.29 announces the end of, else through Pillow; all else goes through Pillow. The three stand on
libjpeg-turbo and give the same pixels, so which of them is there decides the time alone.
"""

import contextlib
import io
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torchvision.io
from PIL import Image, ImageOps
from torch import Tensor

from vggexp.errors import DataError

JPEG = b"\xff\xd8\xff"
DECODE_JPEG: Callable[..., Tensor] | None = getattr(torchvision.io, "decode_jpeg", None)
HAS_SIMPLEJPEG = find_spec("simplejpeg") is not None

Decoded = TypeVar("Decoded")
Size = tuple[int, int]
"""height, width, in pixels."""
Shrink = Callable[[int, int], int]
"""(height, width) of a stored image to what its sides may be divided by: 1, 2, 4 or 8."""


def read_image(path: str | Path, *, upright: bool = False) -> Tensor:
    """One image as RGB: uint8, (3, H, W). Animations give their first frame; transparency is dropped, 16 bit become 8.

    Args:
        path: the file; its content decides how it is read, not its name.
        upright: turn the image as its EXIF orientation asks. Annotated data sets count pixels as they are stored, so
            the default leaves them there; a person's own photo should stand upright.

    Raises:
        DataError: there is no such file, or it cannot be read, or it is no whole image.
    """
    return _read(path, _content(Path(path)), upright)


def read_shrunk(path: str | Path, shrink: Shrink) -> tuple[Tensor, Size]:
    """As ``read_image``, a JPEG decoded at a half, a quarter or an eighth of its sides where ``shrink`` allows it.

    libjpeg then leaves out the frequencies that a smaller image cannot show. A side becomes the next whole number of
    pixels: 375 become 188.

    Returns:
        uint8, (3, ceil(H / factor), ceil(W / factor)); and the stored size, which annotations count pixels of.
    """
    content = _content(Path(path))
    if not content.startswith(JPEG):
        image = _read(path, content)
        return image, (image.shape[1], image.shape[2])
    size = _size(path, content)
    factor = shrink(*size)
    if factor == 1:
        return _read(path, content), size
    return _decoded(path, lambda: _shrunk_jpeg(content, size, factor)), size


def shrunk_size(path: str | Path, shrink: Shrink) -> Size:
    """The size that ``read_shrunk`` gives a file; decodes its header only."""
    content = _content(Path(path))
    size = _size(path, content)
    factor = shrink(*size) if content.startswith(JPEG) else 1
    return -(-size[0] // factor), -(-size[1] // factor)


def read_mask(path: str | Path) -> Tensor:
    """One label image as it is stored: uint8, (H, W), the gray values or the palette's indices, 0 to 255.

    Raises:
        DataError: as ``read_image``; also if the file holds colours, or labels over 255.
    """
    content = _content(Path(path))
    labels = _decoded(path, lambda: torch.from_numpy(np.array(_opened(content), dtype=np.int64)))
    if labels.ndim != 2:
        raise DataError(f"{path} is a colour image; a mask must be a gray or palette PNG of class indices")
    if labels.min() < 0 or labels.max() > 255:
        raise DataError(f"{path} holds labels outside 0..255; a mask must be a gray or palette PNG of class indices")
    return labels.to(torch.uint8)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path} is missing; restore the file, or leave it out of the data set") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check its permissions") from error


def _decoded(path: str | Path, decode: Callable[[], Decoded]) -> Decoded:
    try:
        with warnings.catch_warnings():
            # Pillow remarks on odd palettes and EXIF, torchvision 0.29 on its decoders' future; neither helps a user.
            warnings.simplefilter("ignore")
            return decode()
    except Exception as error:  # On broken bytes Pillow raises nearly anything: OSError, SyntaxError, struct.error ...
        raise DataError(f"{path} is truncated or not an image; fetch it again, or leave it out") from error


def _size(path: str | Path, content: bytes) -> Size:
    if HAS_SIMPLEJPEG and content.startswith(JPEG):
        import simplejpeg

        with contextlib.suppress(ValueError):
            height, width = simplejpeg.decode_jpeg_header(content)[:2]  # a tenth of the time that Pillow takes
            return height, width
    width, height = _decoded(path, lambda: Image.open(io.BytesIO(content)).size)
    return height, width


def _read(path: str | Path, content: bytes, upright: bool = False) -> Tensor:
    if not content.startswith(JPEG):
        return _decoded(path, lambda: _by_pillow(content, upright))
    if not upright and (pixels := _by_simplejpeg(content)) is not None:
        return pixels
    decode = DECODE_JPEG
    if decode is None:
        return _decoded(path, lambda: _by_pillow(content, upright))
    stored = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    return _decoded(path, lambda: decode(stored, mode="RGB", apply_exif_orientation=upright))


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


def _by_pillow(content: bytes, upright: bool) -> Tensor:
    return torch.from_numpy(_rgb(content, upright)).permute(2, 0, 1)


def _opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def _rgb(content: bytes, upright: bool) -> np.ndarray:
    image = _opened(content)
    if image.mode.startswith("I"):  # 16 bit a pixel; convert() would clip at 255 instead of scaling.
        image = Image.fromarray((np.asarray(image).astype(np.int64) // 257).clip(0, 255).astype(np.uint8))
    image = ImageOps.exif_transpose(image) if upright else image
    return np.array(image.convert("RGB"))
