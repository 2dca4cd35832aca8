"""A data set of image files: a source that reads one sample, and the transform applied to it.

A data set implements a ``Source`` and returns ``Files(source, transform)``, which takes care of decoding at a smaller
scale and of caching decoded images (``decoded.py``).
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
    """A sample as stored in its files: the arguments of ``Transform`` except the index."""

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
        """What decides the samples besides the files, in plain values: class names, which box, what is border."""

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
    """A source that can tell without decoding whether ``read`` would fail; for others, image headers are checked.

    Before training, this is done for every sample of val and test.
    """

    def check(self, index: int) -> None:
        """Raise DataError if a file of a sample is missing or cut off, or its annotation contradicts its image."""


@runtime_checkable
class Placing(Protocol):
    """A source that knows the boxes of its samples without decoding pixels."""

    def placed(self, index: int) -> tuple[Size, Tensor]:
        """A sample's upright size, and the edges (K, 4) of its boxes in pixels of the full-size image."""


class Files(Dataset[Sample]):
    """The samples of a source, transformed.

    A JPEG is decoded at a smaller scale if the recipe shrinks it anyway (``Transform.shrink``); its boxes are scaled
    exactly. Not so if there is a mask: masks are resized by picking single pixels, and picking twice gives another
    mask.

    Args:
        source, transform: what reads a sample, and what is applied to it.
        decode_scale: False: decode every image at full size. A data set takes it from the key of this name in its YAML,
            so that ``predict`` decodes alike.
    """

    def __init__(self, source: Source, transform: Transform, decode_scale: bool = False) -> None:
        self.reader, self.transform = source, transform
        self.scales = decode_scale and not source.has_masks

    def __len__(self) -> int:
        return len(self.reader)

    def __getitem__(self, index: int) -> Sample:
        return self.transform(index=index, **self.reader.read(index, self.shrink))

    def check(self, index: int) -> None:
        """Raise DataError if a sample cannot be read, as far as this shows without decoding."""
        if isinstance(self.reader, Checking):
            self.reader.check(index)
        else:
            read_header(self.reader.files(index)[0])

    def boxes(self, index: int) -> tuple[Size, Tensor] | None:
        """The upright size of a photo, and the boxes (K, 4) that a task reads of it; None if the source cannot tell."""
        return self.reader.placed(index) if isinstance(self.reader, Placing) else None

    @property
    def labels(self) -> Sequence[int] | None:
        """The label of each sample, if the source knows them without reading files."""
        known: Sequence[int] | None = getattr(self.reader, "labels", None)
        return known

    def shrink(self, height: int, width: int) -> int:
        """The factor by which the sides of an image of this size are divided when it is decoded."""
        return self.transform.shrink(height, width) if self.scales else 1


def names_of(dataset: Any, indices: Sequence[int]) -> list[str]:
    """The files of the samples, or the samples' indices if the data set has no files.

    Args:
        dataset: a loader's data set, which may wrap ``Files``.
    """
    while dataset is not None and not hasattr(dataset, "reader"):
        dataset = getattr(dataset, "_dataset", getattr(dataset, "source", None))
    if dataset is None:
        return [f"sample {index}" for index in indices]
    return [str(dataset.reader.files(index)[0]) for index in indices]


def scaled(box: Tensor, size: Size, image: Tensor) -> Tensor:
    """Edges (..., 4) in pixels of the stored image of ``size``, converted to pixels of the decoded image.

    A side's length is rounded up: 375 pixels decoded at one half become 188, the last of which reaches half a pixel
    beyond the image. So the scale is not the ratio of the sides.
    """
    decoded = tuple(image.shape[-2:])
    factors = (factor for factor in (1, *reversed(FACTORS)) if tuple(-(-side // factor) for side in size) == decoded)
    return box / next(factors)
