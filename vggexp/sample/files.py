"""A data set of image files: what reads one sample, and the transform that it passes through.

A data set of files writes a ``Source`` and hands over ``Files(source, transform)``; decoding at a smaller scale and
keeping what was decoded (``decoded.py``) are then no business of its own.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypedDict, runtime_checkable

from torch import Tensor
from torch.utils.data import Dataset

from vggexp.sample.decode_scale import FACTORS
from vggexp.sample.header import read_header
from vggexp.sample.image import Shrink
from vggexp.sample.picture import Size
from vggexp.sample.planes import Planes
from vggexp.sample.transform import Transform
from vggexp.types import Objects, Sample


class Stored(TypedDict, total=False):
    """A sample as its files hold it: what ``Transform`` takes, but for the index."""

    image: Tensor
    """uint8, (3, H, W)."""
    label: int | Tensor
    labels: Tensor
    """uint8, (C,): 1 for each class that the photo shows."""
    box: Tensor
    """float32, (4,): edges in pixels of ``image``."""
    mask: Tensor
    """uint8, (H, W): of ``image``'s size."""
    objects: Objects
    """Boxes in pixels of ``image``, without masks."""
    planes: Planes
    """The masks of the objects, of ``image``'s size."""
    size: Size
    """The size that the image is stored at."""


class Source(Protocol):
    """The samples of a split, read from files."""

    @property
    def facts(self) -> object:
        """What beside the files decides what is read, in plain values: class names, which box, what a border is."""

    @property
    def has_masks(self) -> bool:
        """Whether a mask is read beside each image."""

    def __len__(self) -> int:
        """Samples."""

    def files(self, index: int) -> tuple[Path, ...]:
        """The files of a sample, its image first."""

    def read(self, index: int, shrink: Shrink) -> Stored:
        """One sample, its image as ``read_shrunk`` gives it.

        Raises:
            DataError: a file is missing or damaged.
        """


@runtime_checkable
class Checking(Protocol):
    """A source that finds out without decoding pixels whether ``read`` would fail; of others the images are looked at.

    That is done for every sample that a run reads after its training.
    """

    def check(self, index: int) -> None:
        """DataError if a file of a sample is missing or cut off, or its annotation contradicts its image."""


@runtime_checkable
class Placing(Protocol):
    """A source that knows the boxes of its samples without decoding pixels."""

    def placed(self, index: int) -> tuple[Size, Tensor]:
        """A sample's upright size, and the edges (K, 4) of the boxes that are read of it, in pixels of the whole."""


class Files(Dataset[Sample]):
    """The samples of a source, transformed.

    A JPEG is decoded at a smaller scale where the recipe only shrinks it further (``Transform.shrink``): boxes are
    scaled with it, exactly. Not beside a mask: that takes single pixels of its own, and a mask that was shrunk twice
    by that rule is another mask.

    Args:
        source, transform: what to read, and what becomes of it.
        decode_scale: false: decode every image whole. A data set takes it from a key of this name in its YAML, by which
            ``predict``, too, knows how to decode.
    """

    def __init__(self, source: Source, transform: Transform, decode_scale: bool = False) -> None:
        self.reader, self.transform = source, transform
        self.scales = decode_scale and not source.has_masks

    def __len__(self) -> int:
        return len(self.reader)

    def __getitem__(self, index: int) -> Sample:
        return self.transform(index=index, **self.reader.read(index, self.shrink))

    def check(self, index: int) -> None:
        """DataError if it shows without decoding that a sample cannot be read."""
        if isinstance(self.reader, Checking):
            self.reader.check(index)
        else:
            read_header(self.reader.files(index)[0])

    def boxes(self, index: int) -> tuple[Size, Tensor] | None:
        """The upright size of a photo, and the boxes (K, 4) that a task reads of it; None if the source cannot tell."""
        return self.reader.placed(index) if isinstance(self.reader, Placing) else None

    @property
    def labels(self) -> Sequence[int] | None:
        """The label of each sample, where the source knows them without reading files."""
        known: Sequence[int] | None = getattr(self.reader, "labels", None)
        return known

    def shrink(self, height: int, width: int) -> int:
        """What the sides of an image of this size are divided by when it is decoded."""
        return self.transform.shrink(height, width) if self.scales else 1


def names_of(dataset: Any, indices: Sequence[int]) -> list[str]:
    """The files that samples are read from, or their indices where the data set has no files.

    Args:
        dataset: what a loader reads, maybe around ``Files``.
    """
    while dataset is not None and not hasattr(dataset, "reader"):
        dataset = getattr(dataset, "_dataset", getattr(dataset, "source", None))
    if dataset is None:
        return [f"sample {index}" for index in indices]
    return [str(dataset.reader.files(index)[0]) for index in indices]


def scaled(box: Tensor, size: Size, image: Tensor) -> Tensor:
    """Edges (..., 4) in pixels of a stored image of ``size``, in pixels of what it was decoded to.

    A whole number of stored pixels becomes one: of 375 at a half, 188 remain, and the last of them shows half a pixel
    that is not in the image. So the sides' ratio is not the scale.
    """
    decoded = tuple(image.shape[-2:])
    factors = (factor for factor in (1, *reversed(FACTORS)) if tuple(-(-side // factor) for side in size) == decoded)
    return box / next(factors)
