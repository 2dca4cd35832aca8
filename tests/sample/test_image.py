import io
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vggexp.errors import DataError
from vggexp.sample import image
from vggexp.sample.image import read_image, read_mask

RAMP = Image.fromarray(np.linspace(0, 255, 12 * 16 * 3).reshape(12, 16, 3).astype(np.uint8))


def save(path: Path, picture: Image.Image, format: str, **options: object) -> Path:
    picture.save(path, format, **options)
    return path


@pytest.mark.parametrize(
    ("mode", "format"),
    [
        *[(mode, "JPEG") for mode in ("RGB", "CMYK", "L")],
        *[(mode, "PNG") for mode in ("RGB", "RGBA", "P", "LA", "1")],
        ("P", "GIF"),
    ],
)
def test_any_format_is_read_as_pillow_reads_it_whatever_its_name(tmp_path: Path, mode: str, format: str) -> None:
    path = save(tmp_path / "named.jpg", RAMP.convert(mode), format)
    found = read_image(path)
    assert found.dtype == torch.uint8
    assert found.shape == (3, 12, 16)
    with Image.open(path) as expected:
        reference = np.asarray(expected.convert("RGB"), dtype=int)
    assert np.abs(found.permute(1, 2, 0).numpy().astype(int) - reference).max() <= 2


def test_16_bit_gray_is_scaled_not_clipped(tmp_path: Path) -> None:
    deep = np.array([[0, 257, 128 * 257, 65535]], np.uint16)
    assert read_image(save(tmp_path / "deep.png", Image.fromarray(deep), "PNG"))[0].tolist() == [[0, 1, 128, 255]]


def test_transparent_palettes_bring_no_warning(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", RAMP.convert("P"), "PNG", transparency=bytes(range(9)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_image(path).shape == (3, 12, 16)


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_only_upright_follows_the_exif_orientation(tmp_path: Path, format: str) -> None:
    exif = Image.Exif()
    exif[274] = 6  # stored lying on its side
    path = save(tmp_path / "side.jpg", RAMP, format, exif=exif)
    assert read_image(path).shape == (3, 12, 16)
    assert torch.equal(read_image(path, upright=True), read_image(path).rot90(-1, (1, 2)))


def test_jpeg_without_torchvisions_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.jpg", RAMP, "JPEG")
    fast = read_image(path)
    monkeypatch.setattr(image, "DECODE_JPEG", None)
    assert torch.equal(read_image(path), fast)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_truncated_files_are_named(tmp_path: Path, format: str, share: float) -> None:
    buffer = io.BytesIO()
    RAMP.resize((64, 64)).save(buffer, format)
    path = tmp_path / "cut.jpg"
    path.write_bytes(buffer.getvalue()[: int(share * buffer.tell())])
    with pytest.raises(DataError, match=r"cut\.jpg is truncated or not an image; [^\n]+$"):
        read_image(path)


def test_text_missing_and_forbidden_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.jpg").write_text("<html>404</html>")
    with pytest.raises(DataError, match=r"text\.jpg is truncated or not an image"):
        read_image(tmp_path / "text.jpg")
    with pytest.raises(DataError, match=r"none\.jpg is missing; restore"):
        read_image(tmp_path / "none.jpg")
    with pytest.raises(DataError, match="cannot be read"):
        read_image(tmp_path)

    def forbidden(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", forbidden)  # chmod does not stop root
    with pytest.raises(DataError, match=r"text\.jpg cannot be read \(Permission denied\); check its permissions"):
        read_mask(tmp_path / "text.jpg")


def test_masks_keep_palette_indices_and_gray_values(tmp_path: Path) -> None:
    labels = np.array([[0, 1, 2], [3, 254, 255]], np.uint8)
    gray = Image.fromarray(labels)
    palette = gray.convert("P")
    palette.putdata(labels.flatten().tolist())
    palette.putpalette([200, 100, 50] * 256)
    for picture in (gray, palette):
        found = read_mask(save(tmp_path / "mask.png", picture, "PNG"))
        assert found.dtype == torch.uint8
        assert found.tolist() == labels.tolist()


def test_masks_that_are_no_masks(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a colour image"):
        read_mask(save(tmp_path / "colour.png", RAMP, "PNG"))
    with pytest.raises(DataError, match=r"outside 0\.\.255"):
        read_mask(save(tmp_path / "deep.png", Image.fromarray(np.full((2, 2), 300, np.uint16)), "PNG"))
