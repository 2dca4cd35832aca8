"""Reads mask files as labels, by the meaning of their values."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vggexp.errors import DataError
from vggexp.sample.picture import decoded, file_content, opened
from vggexp.sample.record.classes import ClassTable
from vggexp.sample.record.record import MaskValues
from vggexp.types import VOID

BACKGROUND = "background"
"""The class that pixels of classes that are not in use belong to, where masks have it; else they are void."""
UNKNOWN = VOID - 1
"""Marks values without a meaning in this module's tables."""


def mask_table(known: tuple[str, ...], table: ClassTable | None) -> ClassTable:
    """The pixel classes in use: the background, where there is one, and the classes in use; all for None."""
    if table is None:
        return ClassTable(known, {name: label for label, name in enumerate(known)})
    if BACKGROUND not in known or BACKGROUND in table.label_of:
        return table
    return ClassTable((BACKGROUND, *table.names), {BACKGROUND: 0} | {k: v + 1 for k, v in table.label_of.items()})


class MaskLabels:
    """Reads mask files as labels.

    Args:
        values: what the values in files mean.
        table: the pixel classes in use.
    """

    def __init__(self, values: MaskValues, table: ClassTable) -> None:
        self._values = values
        self.facts = (values, table)
        """What decides which label a value is given."""
        other = table.label_of.get(BACKGROUND, VOID)
        labels = {name: table.label_of.get(name, other) for name in values.classes}
        self._by_value = np.full(256, UNKNOWN, np.uint8)
        self._by_value[sorted(values.void)] = VOID
        for name, own in zip(values.classes, values.values, strict=False):
            self._by_value[list(own)] = labels[name]
        colors = {color: labels[name] for name, color in zip(values.classes, values.colors, strict=False)}
        self._by_color = {_packed(color): label for color, label in colors.items()}
        self._by_color |= {_packed(color): VOID for color in values.void_colors}

    def read(self, path: Path) -> NDArray[np.uint8]:
        """The labels of a file as it is stored, uint8 (H, W).

        Raises:
            DataError: as ``read_mask``; or a value that means no class, named with its pixel.
        """
        if self._values.colors:
            return self._labels_of_colors(path)
        raw = raw_values(path)
        labels = self._by_value[raw]
        if (labels == UNKNOWN).any():
            row, column = (int(place) for place in np.argwhere(labels == UNKNOWN)[0])
            raise DataError(
                f"{path} has the value {raw[row, column]} at pixel ({column}, {row}), which means no class"
                f"{values_advice(np.unique(raw).tolist())}"
            )
        return labels

    def _labels_of_colors(self, path: Path) -> NDArray[np.uint8]:
        packed = raw_colors(path)
        found, inverse = np.unique(packed, return_inverse=True)
        labels = np.array([self._by_color.get(int(color), UNKNOWN) for color in found], np.uint8)[inverse]
        labels = labels.reshape(packed.shape)
        if (labels == UNKNOWN).any():
            row, column = (int(place) for place in np.argwhere(labels == UNKNOWN)[0])
            color = ",".join(map(str, unpacked(int(packed[row, column]))))
            raise DataError(
                f"{path} has the colour [{color}] at pixel ({column}, {row}), which data.colors does not name; add "
                f"it there, or to data.ignore, or mend the pixel"
            )
        return labels


def raw_values(path: Path) -> NDArray[np.uint8]:
    """The gray values or palette indices of a file, uint8 (H, W).

    Raises:
        DataError: it cannot be read, or holds colours, or values over 255.
    """
    return values_in(opened(path, file_content(path)), path)


def values_in(image: Image.Image, path: Path) -> NDArray[np.uint8]:
    """As ``raw_values``, of a file that Pillow has opened."""
    pixels = decoded(path, lambda: np.array(image))
    if pixels.ndim == 3 and is_gray(image):
        pixels = pixels[..., 0]
    if pixels.ndim != 2:
        raise DataError(f"{path} is a colour image; name the class of each colour in data.colors")
    if pixels.dtype not in (np.uint8, np.bool_) and (pixels.min() < 0 or pixels.max() > 255):
        raise DataError(f"{path} holds values outside 0..255; save the mask with 8 bits a pixel")
    return pixels.astype(np.uint8)


def is_gray(image: Image.Image) -> bool:
    """Whether a mask has values or palette indices, or gray values that were saved as colours."""
    if image.mode == "LA":
        return True
    if image.mode not in ("RGB", "RGBA"):
        return len(image.getbands()) == 1
    red, green, blue = image.split()[:3]
    return red.tobytes() == green.tobytes() == blue.tobytes()


def raw_colors(path: Path) -> NDArray[np.int32]:
    """The colours of a file, int32 (H, W): red * 65536 + green * 256 + blue."""
    image = opened(path, file_content(path))
    pixels = decoded(path, lambda: np.array(image.convert("RGB"), dtype=np.int32))
    return np.asarray(pixels @ np.array([65536, 256, 1], np.int32), np.int32)


def values_advice(values: list[int]) -> str:
    """What would make sense of the values of a mask, as a closing clause."""
    if set(values) <= {0, 255}:
        return "; binary 0/255? give data.mask_values=[0,255]"
    if len(values) > 2 and values[0] == 0 and values[-1] == 255:
        return "; if 255 has no ground truth, give data.ignore=[255]"
    return "; name its class in data.mask_values, or give the value in data.ignore"


def _packed(color: tuple[int, int, int]) -> int:
    return (color[0] << 16) + (color[1] << 8) + color[2]


def unpacked(color: int) -> tuple[int, int, int]:
    """Red, green and blue of a packed colour.

    >>> unpacked(0x800001)
    (128, 0, 1)
    """
    return color >> 16, color >> 8 & 255, color & 255
