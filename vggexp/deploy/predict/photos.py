"""Reads and transforms photos in worker processes, and groups them into batches at the network's image size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms.v2 import functional

from vggexp.deploy.predict.view import Size, View, Window
from vggexp.distributed.processes import num_cores
from vggexp.errors import DataError
from vggexp.sample import image as images
from vggexp.sample.decode_scale import FACTORS
from vggexp.sample.image import read_shrunk
from vggexp.sample.image_files import ImageFile
from vggexp.task.drawing import LONGEST


@dataclass(frozen=True)
class Photo:
    """The data of one photo that is needed after the network has processed it."""

    file: ImageFile
    size: Size
    """(H, W) of the upright photo."""
    window: Window
    preview: np.ndarray | None
    """uint8, (3, h, w): the photo for the overlay, at most ``LONGEST`` pixels a side."""


@dataclass(frozen=True)
class Group:
    """Photos of one batch."""

    photos: tuple[Photo, ...]
    seen: Tensor
    """uint8, (N, 3, H, W): the network's input."""
    unread: tuple[str, ...]
    """One line for each photo of the batch that could not be read."""


class Photos(Dataset[tuple[Photo, Tensor] | str]):
    """Files to photos and network inputs, or to the reason why a file cannot be read."""

    def __init__(self, files: Sequence[ImageFile], view: View, previews: bool) -> None:
        self._files, self._view, self._previews = files, view, previews

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> tuple[Photo, Tensor] | str:
        file = self._files[index]
        try:
            photo = read_shrunk(file.path, self._view.shrink)
            shown = preview(file.path, photo).numpy() if self._previews else None
        except DataError as error:
            return str(error)
        try:
            seen, window = self._view(photo.image, photo.size)
        except DataError as error:
            return f"{file.path}: {error}"
        return Photo(file, photo.size, window, shown), seen


def load(
    files: Sequence[ImageFile], view: View, batch_size: int, workers: int | None = None, previews: bool = True
) -> Iterator[Group]:
    """The files in order, in groups of ``batch_size``; ``workers`` None: one per core, or 0 for a single group."""
    if workers is None:
        workers = min(num_cores(), 8) if len(files) > batch_size else 0
    loader = DataLoader(
        Photos(files, view, previews),
        batch_size,
        num_workers=workers,
        collate_fn=_grouped,
        pin_memory=False,
        generator=torch.Generator().manual_seed(0),  # otherwise the loader draws from the global generator
    )
    yield from loader


def preview(path: str | Path, photo: images.Photo) -> Tensor:
    """The photo, reduced if a side is longer than ``LONGEST``: an overlay needs no twelve megapixels.

    A photo that was decoded smaller is read again: the network may need less of it than the eye.
    """
    if tuple(photo.image.shape[-2:]) != photo.size:
        photo = read_shrunk(path, _enough)
    return _reduced(photo.image)


def _enough(height: int, width: int) -> int:
    return next((factor for factor in FACTORS if max(height, width) >= factor * LONGEST), 1)


def _reduced(image: Tensor) -> Tensor:
    longest = max(image.shape[-2:])
    if longest <= LONGEST:
        return image
    sides = [max(1, round(side * LONGEST / longest)) for side in image.shape[-2:]]
    smaller: Tensor = functional.resize(image, sides)
    return smaller


def _grouped(items: Sequence[tuple[Photo, Tensor] | str]) -> Group:
    """Previews stay arrays, because each tensor from a worker would take a file descriptor."""
    read = [item for item in items if not isinstance(item, str)]
    seen = torch.stack([image for _, image in read]) if read else torch.empty(0)
    return Group(tuple(photo for photo, _ in read), seen, tuple(item for item in items if isinstance(item, str)))
