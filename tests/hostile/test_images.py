"""Image files that are none, or that would take too much."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.hostile.conftest import ending
from vggexp.sample.header import read_header
from vggexp.sample.image import read_image


def encoded(kind: str, mode: str = "RGB", size: tuple[int, int] = (16, 12), **words: object) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(file, kind, **words)
    return file.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(*chunks: bytes, width: int = 4, height: int = 4, depth: int = 8, color: int = 2) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


CASES = {
    "empty": b"",
    "one byte": b"\xff",
    "text": b"no image",
    "HTML": b"<!doctype html><html>404</html>",
    "JPEG's first bytes": b"\xff\xd8\xff",
    "half a JPEG": encoded("JPEG")[: len(encoded("JPEG")) // 2],
    "a JPEG without its end's pixels": encoded("JPEG")[:200],
    "half a PNG": encoded("PNG")[:100],
    "half a WebP": encoded("WEBP")[:60],
    "half a GIF": encoded("GIF", "P")[:60],
    "half a BMP": encoded("BMP")[:80],
    "a PNG without pixels": png(),
    "a PNG of wrong pixels": png(chunk(b"IDAT", b"no zlib")),
    "a PNG of too few pixels": png(chunk(b"IDAT", zlib.compress(b"\0" * 10))),
    "a PNG of no size": png(chunk(b"IDAT", zlib.compress(b"")), width=0, height=0),
    "a PNG of 10 gigapixels": png(chunk(b"IDAT", zlib.compress(b"\0" * 1000)), width=100_000, height=100_000),
    "a PNG of 2^31 pixels a side": png(chunk(b"IDAT", b""), width=2**31 - 1, height=2**31 - 1),
    "a PNG of an unknown colour type": png(chunk(b"IDAT", zlib.compress(b"\0" * 100)), color=5),
    "a BMP of a negative width": encoded("BMP")[:18] + struct.pack("<i", -5) + encoded("BMP")[22:],
    "a TIFF that points nowhere": b"II*\0" + struct.pack("<I", 10**6),
    "a TIFF that points to itself": b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 0) + struct.pack("<I", 8),
    "an SVG": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "a ZIP": b"PK\3\4" + bytes(100),
    "a pickle": b"\x80\x04K\x01.",
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("ask", [read_image, read_header])
def test_images(case: str, ask: object) -> None:
    Path("a.png").write_bytes(CASES[case])
    code, errors = ending(lambda: ask(Path("a.png")))  # type: ignore[operator]
    if ask is read_header and code == 0:
        return  # what a header cannot tell is met when the image is decoded
    assert (code, errors.count("\n")) == (1, 1), errors
    assert "a.png" in errors


def test_a_folder_and_a_link_to_nothing() -> None:
    Path("a.png").mkdir()
    Path("b.png").symlink_to("nowhere")
    for name in ("a.png", "b.png", "c.png"):
        code, errors = ending(lambda name=name: read_image(name))
        assert (code, errors.count("\n")) == (1, 1)
        assert name in errors
