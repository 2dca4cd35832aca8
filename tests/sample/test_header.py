"""What headers and the ends of files tell: what is cut off is found, and what is whole is not blamed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vggexp.errors import DataError
from vggexp.sample import header
from vggexp.sample.header import LENGTH, read_header

NOISE = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)


def photo(path: Path, format: str, size: tuple[int, int] = (400, 300), **options: Any) -> bytes:
    Image.fromarray(NOISE).resize(size).save(path, format, **options)
    return path.read_bytes()


def thumbnail(path: Path) -> bytes:
    """An EXIF block with a small JPEG in it, as cameras write it."""
    small = photo(path, "JPEG", (64, 48))
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif.tobytes() + small


@pytest.mark.parametrize("size", [(40, 30), (400, 300)])  # one read as a whole, one of more than its ends
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_a_file_that_is_cut_off_is_found(format: str, size: tuple[int, int], tmp_path: Path) -> None:
    content = photo(path := tmp_path / "a.jpg", format, size, **({"quality": 98} if format == "JPEG" else {}))
    assert (len(content) > LENGTH) == (size[0] > 100)
    assert read_header(path).size == (size[1], size[0])
    for missing in (30, len(content) // 10, len(content) // 2):
        path.write_bytes(content[:-missing])
        with pytest.raises(DataError, match=r"a\.jpg is truncated or not an image; fetch it again"):
            read_header(path)


def test_a_thumbnails_end_is_not_the_photos(tmp_path: Path) -> None:
    exif = thumbnail(tmp_path / "small.jpg")
    for progressive in (False, True):
        content = photo(path := tmp_path / "a.jpg", "JPEG", exif=exif, quality=95, progressive=progressive)
        assert (read_header(path).size, read_header(path).orientation) == ((400, 300), 6)
        for length in (LENGTH + 100, len(content) - 1000, len(content) // 4):
            path.write_bytes(content[:length])
            with pytest.raises(DataError, match="truncated"):
                read_header(path)


@pytest.mark.parametrize("trailing", [b"\0" * 20, b"film" * LENGTH])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"])
def test_whole_files_pass_with_bytes_behind_them(
    format: str, trailing: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if format == "JPEG":
        monkeypatch.setattr(header, "read_image", lambda path: pytest.fail("decoded"))
    path = tmp_path / "a"
    path.write_bytes(photo(path, format) + trailing)
    assert read_header(path).size == (300, 400)


def test_a_header_beyond_the_first_bytes_is_read(tmp_path: Path) -> None:
    content = photo(path := tmp_path / "a.jpg", "JPEG", exif=thumbnail(tmp_path / "small.jpg"))
    comment = b"\xff\xfe\xff\xff" + b"x" * (2**16 - 3)
    path.write_bytes(content[:2] + 3 * comment + content[2:])
    assert (read_header(path).size, read_header(path).orientation) == ((400, 300), 6)
    path.write_bytes((content[:2] + 3 * comment + content[2:])[:-500])
    with pytest.raises(DataError, match="truncated"):
        read_header(path)


def test_missing_files_and_what_is_no_image_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.jpg is missing; restore"):
        read_header(tmp_path / "none.jpg")
    (tmp_path / "page.jpg").write_text("<html>404</html>")
    with pytest.raises(DataError, match=r"page\.jpg is truncated or not an image"):
        read_header(tmp_path / "page.jpg")
