"""Reads mask files as labels, turned upright like their photo."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vggexp.errors import DataError
from vggexp.sample.header import stored_header
from vggexp.sample.orientation import UPRIGHT, turn, turned_size
from vggexp.sample.picture import Header, Size, decoded, file_content, opened


def read_mask(path: str | Path) -> Tensor:
    """One label image as it is stored: uint8, (H, W), the gray values or the palette's indices, 0 to 255.

    Raises:
        DataError: as ``read_image``; also if the file holds colours, or labels over 255.
    """
    image = opened(path, file_content(Path(path)))
    labels = decoded(path, lambda: torch.from_numpy(np.array(image, dtype=np.int64)))
    if labels.ndim != 2:
        raise DataError(f"{path} is a colour image; a mask must be a gray or palette PNG of class indices")
    if labels.min() < 0 or labels.max() > 255:
        raise DataError(f"{path} holds labels outside 0..255; a mask must be a gray or palette PNG of class indices")
    return labels.to(torch.uint8)


def upright_mask(mask: Tensor, photo: Header, path: str | Path) -> Tensor:
    """A mask (H, W) upright, as its photo is: its size tells whether it was drawn on the stored or the upright photo.

    Raises:
        DataError: it has neither size, or its size does not tell.
    """
    return turn(mask, _turn_of((mask.shape[0], mask.shape[1]), photo, path))


def check_mask(path: Path, photo: Header) -> None:
    """Raise DataError if ``upright_mask`` would refuse a mask file; decodes no pixels."""
    _turn_of(stored_header(path)[0], photo, path)


def _turn_of(size: Size, photo: Header, path: str | Path) -> int:
    """The orientation by which a mask of this size is turned."""
    stored = turned_size(photo.size, photo.orientation)
    if size not in (photo.size, stored):
        sizes = f"{size[1]} x {size[0]} pixels, and its image {photo.size[1]} x {photo.size[0]}"
        raise DataError(f"{path} has {sizes}; export the mask at its image's size, without smoothing")
    if photo.orientation == UPRIGHT or (size == photo.size and size != stored):
        return UPRIGHT
    if stored == photo.size:
        raise DataError(
            f"{path}: its image is turned by EXIF (orientation {photo.orientation}), and the size does not tell "
            "whether the mask is turned, too; save the image upright"
        )
    return photo.orientation
