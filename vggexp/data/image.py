"""Image files to tensors, whatever the file's name says it is.

JPEG goes through torchvision.io, which decodes 1.3 (500 pixels) to 3 times (1,000 pixels) as fast as Pillow; all else
goes through Pillow. torchvision 0.29 announces the end of its decoders: without them, Pillow decodes JPEG too.
"""

import io
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torchvision.io
from PIL import Image, ImageOps
from torch import Tensor

from vggexp.errors import DataError

JPEG = b"\xff\xd8\xff"
DECODE_JPEG = getattr(torchvision.io, "decode_jpeg", None)


def read_image(path: str | Path, *, upright: bool = False) -> Tensor:
    """One image as RGB: uint8, (3, H, W). Animations give their first frame; transparency is dropped, 16 bit become 8.

    Args:
        path: the file; its content decides how it is read, not its name.
        upright: turn the image as its EXIF orientation asks. Annotated data sets count pixels as they are stored, so
            the default leaves them there; a person's own photo should stand upright.

    Raises:
        DataError: there is no such file, or it cannot be read, or it is no whole image.
    """
    content = _content(Path(path))
    if DECODE_JPEG and content.startswith(JPEG):
        stored = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        return _decoded(path, lambda: DECODE_JPEG(stored, mode="RGB", apply_exif_orientation=upright))
    return _decoded(path, lambda: torch.from_numpy(_rgb(content, upright)).permute(2, 0, 1))


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


def _decoded(path: str | Path, decode: Callable[[], Tensor]) -> Tensor:
    try:
        with warnings.catch_warnings():
            # Pillow remarks on odd palettes and EXIF, torchvision 0.29 on its decoders' future; neither helps a user.
            warnings.simplefilter("ignore")
            return decode()
    except Exception as error:  # On broken bytes Pillow raises nearly anything: OSError, SyntaxError, struct.error ...
        raise DataError(f"{path} is truncated or not an image; fetch it again, or leave it out") from error


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
