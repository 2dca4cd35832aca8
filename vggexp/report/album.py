"""The images of a page, reduced in size; an image that many runs show is stored once."""

import base64
import io
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha1
from pathlib import Path

from PIL import Image

SIDE = 160
"""Maximum longer side of an image in the page, pixels."""


@dataclass
class Album:
    """Images as data URIs, by a hash of their bytes."""

    pictures: dict[str, str] = field(default_factory=dict)
    size: int = 0
    """Total number of characters."""

    def add(self, path: Path) -> str:
        """Add an image or a mask and return its id; "" if it cannot be read."""
        try:
            content = path.read_bytes()
            name = "p" + sha1(content, usedforsecurity=False).hexdigest()[:16]
            if name not in self.pictures:
                self._keep(name, data_uri(content))
        except OSError:
            return ""
        return name

    def _keep(self, name: str, uri: str) -> None:
        self.pictures[name] = uri
        self.size += len(uri)


def data_uri(content: bytes, side: int = SIDE) -> str:
    """A picture as WebP or a mask (a palette image) as PNG, with at most ``side`` pixels a side.

    Raises:
        OSError: the content is not an image.
    """
    with Image.open(io.BytesIO(content)) as opened:
        opened.load()
        is_mask, form = opened.mode == "P", str(opened.format)
        if max(opened.size) > side or not (form == "WEBP" or is_mask):
            content, form = _smaller(opened, side, is_mask)
    return f"data:image/{form.lower()};base64," + base64.b64encode(content).decode()


def _smaller(image: Image.Image, side: int, is_mask: bool) -> tuple[bytes, str]:
    share = min(1, side / max(image.size))
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    form, buffer = "PNG" if is_mask else "WEBP", io.BytesIO()
    if is_mask:
        image.resize(size, Image.Resampling.NEAREST).save(buffer, form, optimize=True)
    else:
        image.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(buffer, form, quality=80, method=1)
    return buffer.getvalue(), form


def mask_colours(path: Path, count: int) -> list[str]:
    """The first ``count`` colours of a mask's palette, as #rrggbb; [] if it cannot be read."""
    try:
        with Image.open(path) as image:
            values = image.getpalette() or []
    except OSError:
        return []
    return [
        "#{:02x}{:02x}{:02x}".format(*values[3 * place : 3 * place + 3])
        for place in range(min(count, len(values) // 3))
    ]


@lru_cache(maxsize=4096)
def mask_counts(path: Path) -> list[int]:
    """The number of pixels of each of a mask's 256 values; [] if it cannot be read."""
    try:
        with Image.open(path) as image:
            return image.histogram()[:256] if image.mode in ("P", "L") else []
    except OSError:
        return []
