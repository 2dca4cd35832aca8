import io
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps, PngImagePlugin, TiffImagePlugin

from vggexp.errors import DataError
from vggexp.sample import image
from vggexp.sample.header import read_header
from vggexp.sample.image import read_image, read_shrunk, shrunk_size
from vggexp.sample.mask_file import read_mask
from vggexp.sample.orientation import turn

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
def test_photos_are_read_upright(tmp_path: Path, format: str) -> None:
    plain = read_image(save(tmp_path / "plain.jpg", RAMP, format))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[274] = orientation
        path = save(tmp_path / f"{orientation}.jpg", RAMP, format, exif=exif)
        with Image.open(path) as picture:
            expected = np.array(ImageOps.exif_transpose(picture).convert("RGB"), dtype=int)
        found = read_image(path)
        assert np.abs(found.permute(1, 2, 0).numpy().astype(int) - expected).max() <= 2
        assert torch.equal(found, turn(plain, orientation))
        photo = read_shrunk(path, lambda *_: 2)
        assert (photo.size, photo.orientation) == (tuple(found.shape[1:]), orientation)
        assert photo.image.shape[1] == shrunk_size(path, lambda *_: 2)[0]


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


def tiff_with_long_orientation() -> bytes:
    """EXIF whose orientation, 6, has the type LONG in place of SHORT."""
    tag = (
        (274).to_bytes(2, "little") + (4).to_bytes(2, "little") + (1).to_bytes(4, "little") + (6).to_bytes(4, "little")
    )
    return b"Exif\x00\x00II*\x00" + (8).to_bytes(4, "little") + (1).to_bytes(2, "little") + tag + bytes(4)


def test_exif_is_found_after_xmp_as_a_long_number_and_in_16_bit_pngs(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    plain = save(tmp_path / "plain.jpg", RAMP, "JPEG").read_bytes()

    def segment(content: bytes) -> bytes:
        return b"\xff\xe1" + (len(content) + 2).to_bytes(2, "big") + content

    xmp = segment(b"http://ns.adobe.com/xap/1.0/\x00" + b"<x/>" * 9000)
    (tmp_path / "xmp.jpg").write_bytes(plain[:2] + xmp + segment(exif.tobytes()) + plain[2:])
    (tmp_path / "long.jpg").write_bytes(plain[:2] + segment(tiff_with_long_orientation()) + plain[2:])
    deep = Image.fromarray(np.arange(12 * 16, dtype=np.uint16).reshape(12, 16) * 300)
    save(tmp_path / "deep.png", deep, "PNG", exif=exif)
    for name in ("xmp.jpg", "long.jpg", "deep.png"):
        assert read_image(tmp_path / name).shape == (3, 16, 12)


def lying(format: str) -> bytes:
    """The ramp, its orientation 6."""
    exif = Image.Exif()
    exif[274] = 6
    buffer = io.BytesIO()
    RAMP.save(buffer, format, exif=exif)
    return buffer.getvalue()


def exif_at_its_end(png: bytes) -> bytes:
    start = png.index(b"eXIf") - 4
    chunk = png[start : start + 12 + int.from_bytes(png[start : start + 4], "big")]
    rest = png.replace(chunk, b"")
    return rest[:-12] + chunk + rest[-12:]


def after_large_profiles(jpeg: bytes) -> bytes:
    profile = b"\xff\xe2" + (65_535).to_bytes(2, "big") + bytes(65_533)
    return jpeg[:2] + profile * 5 + jpeg[2:]


@pytest.mark.parametrize(
    "content",
    [lying("TIFF"), exif_at_its_end(lying("PNG")), after_large_profiles(lying("JPEG"))],
    ids=["TIFF, which Pillow turns itself", "PNG, EXIF at its end", "JPEG, EXIF after 300 kB"],
)
def test_a_photo_is_turned_once_wherever_its_orientation_stands(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    expected = torch.from_numpy(np.array(RAMP)).permute(2, 0, 1).rot90(-1, (1, 2))
    found = read_image(path)
    assert found.shape == expected.shape == (3, *shrunk_size(path, lambda *_: 1))
    assert (found.int() - expected.int()).abs().max() <= 20  # a JPEG's


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + b"U" * 40])
def test_a_damaged_exif_leaves_the_photo_as_it_is(exif: bytes, tmp_path: Path) -> None:
    plain = save(tmp_path / "plain.jpg", RAMP, "JPEG").read_bytes()
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    (tmp_path / "odd.jpg").write_bytes(plain[:2] + segment + plain[2:])
    assert torch.equal(read_image(tmp_path / "odd.jpg"), read_image(tmp_path / "plain.jpg"))


def test_a_png_is_decoded_once_and_not_at_all_for_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.png", RAMP, "PNG")
    loads: list[int] = []
    finish = PngImagePlugin.PngImageFile.load_end
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load_end", lambda png: (loads.append(1), finish(png))[1])
    assert shrunk_size(path, lambda *_: 1) == (12, 16)
    assert not loads
    read_image(path)
    assert len(loads) == 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0, 100, 255]], np.int32), [0, 100, 255]),
        (np.array([[0, 2048, 4095]], np.uint16), [0, 127, 255]),
    ],
)
def test_other_types_of_pixels_are_scaled(values: np.ndarray, expected: list[int], tmp_path: Path) -> None:
    path = save(tmp_path / "a.tif", Image.fromarray(values), "TIFF")
    assert read_image(path)[0].tolist() == [expected]


@pytest.mark.parametrize("values", [np.array([[-1.0, 2.0]], np.float32), np.array([[0, 70000]], np.int32)])
def test_pixels_of_unknown_scale_are_refused(values: np.ndarray, tmp_path: Path) -> None:
    path = save(tmp_path / "a.tif", Image.fromarray(values), "TIFF")
    with pytest.raises(DataError, match=r"a\.tif has \S+ pixels from .*; convert it to 8 bits a channel"):
        read_image(path)


def test_long_texts_are_read_and_too_many_pixels_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("note", "x" * 3_000_000, zip=True)
    path = save(tmp_path / "note.png", RAMP, "PNG", pnginfo=text, icc_profile=bytes(3_000_000))
    assert read_image(path).shape == (3, 12, 16)
    monkeypatch.setenv("VGGEXP_MAX_MEGAPIXELS", "0.0001")
    with pytest.raises(
        DataError, match=r"note\.png has 0 megapixels, more than the 0\.0001 that are read; .* VGGEXP_MAX"
    ):
        read_image(path)


def tiff(channels: int, bits: int, numbers: int) -> bytes:
    """A TIFF of zeros, 10 x 8; ``numbers`` is its tag SampleFormat."""
    pixels = bytes(80 * channels * bits // 8)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    values = {256: (10, 4), 257: (8, 4), 258: ((bits,) * channels, 3), 259: (1, 3), 262: (2, 3), 277: (channels, 3),
              278: (8, 3), 339: ((numbers,) * channels, 3)}  # fmt: skip
    for tag, (value, kind) in values.items():
        tags.tagtype[tag] = kind
        tags[tag] = value
    file = io.BytesIO()
    file.write(b"II*\0" + (8 + len(pixels)).to_bytes(4, "little") + pixels)
    tags.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(90),
            "is an image of the format HEIC, which is not read; convert",
        ),
        (
            b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(90),
            "format HEIC, which is not read; convert it to JPEG or PNG",
        ),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(90), "format JPEG XL, which is not read; convert it to JPEG or PNG"),
        (tiff(3, 32, 3), "a TIFF with 3 channels of 32-bit floating-point numbers, which is not read; convert it to 8"),
        (tiff(3, 32, 1), "a TIFF with 3 channels of 32-bit whole numbers, which is not read; convert it to 8 bits"),
        (tiff(3, 32, 3)[:900], "truncated or not an image"),
    ],
)
def test_whole_images_that_are_not_read_are_told_from_broken_ones(content: bytes, message: str, tmp_path: Path) -> None:
    (path := tmp_path / "a.jpg").write_bytes(content)
    for read in (read_image, read_header):
        with pytest.raises(DataError, match=message) as found:
            read(path)
        assert "\n" not in str(found.value)
