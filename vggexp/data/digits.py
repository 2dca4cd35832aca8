"""The embedded data set: handwritten digits on a cluttered canvas, each with its label, box and mask; no download.

The digits are scikit-learn's 1,797 scans of 8 x 8 pixels (E. Alpaydin and C. Kaynak, Optical Recognition of
Handwritten Digits, UCI Machine Learning Repository, 1998). Each is drawn once, at a random size and place.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import cast

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor
from torch.utils.data import Dataset

from vggexp.boxes import from_edges, to_edges
from vggexp.errors import ConfigError
from vggexp.sample.resize import Recipe
from vggexp.sample.transform import Transform
from vggexp.types import DataInfo, Sample

Floats = NDArray[np.float32]

NAMES = tuple("0123456789")
HELD = 300
"""Digits in each of val and test; the other 1,197 are for training."""
INK = 0.42
"""How dark a scan's interpolated pixel must be, of 1, to count as ink."""


class Digits:
    """1,197 / 300 / 300 canvases, split by source digit, stratified and always the same.

    A canvas depends on ``seed`` and on its digit alone, not on the order of drawing. What lies behind the digit is
    there to distract: a colour gradient, noise, lines, blobs and fragments of other digits of the same split. Nothing
    is drawn over the digit.

    Args:
        canvas: height and width of an image, pixels.
        size: least and greatest height and width of the scan when drawn, pixels.
        classes: the digits to keep, which then are the classes, in this order; None for all ten.
        seed: of everything random but the split.
        train_transform, eval_transform: recipes, see ``transform.py``.

    Raises:
        ConfigError: sizes that do not fit the canvas, a class that is no digit, or a recipe that cannot work.
    """

    def __init__(
        self,
        canvas: int = 64,
        size: Sequence[int] = (28, 56),
        classes: Sequence[int] | None = None,
        seed: int = 0,
        train_transform: Recipe = (),
        eval_transform: Recipe = (),
    ) -> None:
        if len(size) != 2 or not 8 <= size[0] <= size[1] <= canvas:
            raise ConfigError(
                f"data.size={list(size)} must be [least, greatest], from 8 to the canvas's {canvas} pixels"
            )
        kept = [str(name) for name in (NAMES if classes is None else classes)]
        if not kept or len(set(kept)) < len(kept) or not set(kept) <= set(NAMES):
            raise ConfigError(f"data.classes=[{','.join(kept)}] must be digits, each once; for example [5,6,7,8,9]")
        self.info = DataInfo(classes=tuple(kept), mask_classes=("background", *kept))
        self._canvas, self._size, self._seed = canvas, (size[0], size[1]), seed
        self._train = Transform(train_transform, eval_transform) if train_transform else None
        self._eval = Transform(eval_transform) if eval_transform else None

    def split(self, name: str, needs: frozenset[str], *, augment: bool = False) -> Dataset[Sample]:
        """Split "train", "val" or "test"; every digit has every target."""
        kept = tuple(int(digit) for digit in self.info.classes)
        rendered = _render(name, kept, self._canvas, self._size, self._seed)
        columns = {key: column for key, column in rendered.items() if key in needs | {"image"}}
        return _Canvases(columns, self._train if augment and self._train else self._eval)


class _Canvases(Dataset[Sample]):
    """Rendered canvases in memory: a column a key, each (N, ...)."""

    in_memory = True

    def __init__(self, columns: dict[str, Tensor], transform: Transform | None) -> None:
        self._columns, self._transform = columns, transform
        self.labels = columns["label"].tolist() if "label" in columns else None

    def __len__(self) -> int:
        return len(self._columns["image"])

    def __getitem__(self, index: int) -> Sample:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: list[int]) -> list[Sample]:
        """A batch's samples in one go, as DataLoader asks for them: one indexing a column, not one a sample."""
        rows = torch.tensor(indices)
        columns = {"index": rows} | {key: column[rows] for key, column in self._columns.items()}
        samples = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return [self._moved(sample) for sample in samples] if self._transform else cast("list[Sample]", samples)

    def _moved(self, sample: dict[str, Tensor]) -> Sample:
        assert self._transform is not None
        if "box" in sample:
            sample["box"] = (to_edges(sample["box"]) * sample["image"].shape[-1]).round()
        return self._transform(**sample)  # type: ignore[arg-type]


def splits(labels: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Source digits of each split, in ascending order."""
    from sklearn.model_selection import train_test_split

    rest, test = train_test_split(np.arange(len(labels)), test_size=HELD, stratify=labels, random_state=0)
    train, val = train_test_split(rest, test_size=HELD, stratify=labels[rest], random_state=0)
    return {"train": np.sort(train), "val": np.sort(val), "test": np.sort(test)}


@lru_cache(maxsize=3)  # the splits of one data set: the runs of a sweep in one process draw them once
def _render(name: str, classes: tuple[int, ...], canvas: int, size: tuple[int, int], seed: int) -> Mapping[str, Tensor]:
    """A split's canvases of these classes, a column a key, each (N, ...); a digit's label is its place among them."""
    from sklearn.datasets import load_digits

    scans, labels = load_digits(return_X_y=True)
    scans = (scans.reshape(-1, 8, 8) / 16).astype(np.float32)
    pool = splits(labels)[name]
    others = scans[pool]
    pool = pool[np.isin(labels[pool], classes)]
    places = np.array([classes.index(digit) if digit in classes else -1 for digit in range(len(NAMES))])
    images = np.empty((len(pool), canvas, canvas, 3), np.uint8)
    masks = np.zeros((len(pool), canvas, canvas), np.uint8)
    edges = np.empty((len(pool), 4), np.float32)
    for row, source in enumerate(pool):
        random = np.random.default_rng((seed, int(source)))
        ink = _ink(scans[source], int(random.integers(size[0], size[1] + 1)))
        height, width = ink.shape
        top, left = (int(random.integers(0, canvas - side + 1)) for side in ink.shape)
        images[row] = _paint(others, ink, (left, top), canvas, random)
        masks[row, top : top + height, left : left + width][ink > 0] = places[labels[source]] + 1
        edges[row] = left, top, left + width, top + height
    return {
        "image": torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(),
        "label": torch.from_numpy(places[labels[pool]]),
        "box": from_edges(torch.from_numpy(edges) / canvas),
        "mask": torch.from_numpy(masks),
    }


def _ink(scan: Floats, side: int) -> Floats:
    """A scan to its opacity 0..1 at ``side`` pixels, cut to the ink: the first and last row and column hold some."""
    gray = np.asarray(Image.fromarray(scan).resize((side, side), Image.Resampling.BICUBIC))
    opacity = ((gray - INK) * side / 6).clip(0, 1)  # an edge of one or two pixels at any size
    opacity[opacity < 0.2] = 0  # too faint to see, so no ink: the box shall enclose what the eye finds
    rows, columns = np.flatnonzero(opacity.any(1)), np.flatnonzero(opacity.any(0))
    return opacity[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if rows.size else opacity


def _paint(scans: Floats, ink: Floats, place: tuple[int, int], canvas: int, random: Generator) -> NDArray[np.uint8]:
    """One canvas (canvas, canvas, 3): background, clutter, then the digit, brighter than both."""
    image = Image.fromarray(_background(canvas, random))
    _clutter(image, scans, random)
    stamp = Image.fromarray((ink * 255).astype(np.uint8))
    image.paste(tuple(random.integers(185, 256, 3).tolist()), place, stamp)
    grain = random.integers(-12, 13, (canvas, canvas, 3), dtype=np.int16)
    return (np.asarray(image) + grain).clip(0, 255).astype(np.uint8)


def _background(canvas: int, random: Generator) -> NDArray[np.uint8]:
    """A gradient between two colours in any direction, with clouds: a field of 4 x 4 colours, drawn large."""
    ends = random.integers(20, 130, (2, 3))
    angle = random.uniform(0, 2 * np.pi)
    along = np.linspace(-0.5, 0.5, 4)
    share = (0.5 + 0.7 * (along[:, None] * np.sin(angle) + along * np.cos(angle))).clip(0, 1)[..., None]
    field = ends[0] * (1 - share) + ends[1] * share + random.normal(0, 15, (4, 4, 3))
    small = Image.fromarray(field.clip(0, 255).astype(np.uint8))
    return np.asarray(small.resize((canvas, canvas), Image.Resampling.BICUBIC))


def _clutter(image: Image.Image, scans: Floats, random: Generator) -> None:
    """Lines, blobs and fragments of other digits, all over the canvas, in colours between the background's and any."""
    draw, side = ImageDraw.Draw(image), image.width

    def colour() -> tuple[int, ...]:
        here = image.getpixel(tuple(random.integers(0, side, 2).tolist()))
        return tuple((0.7 * np.array(here) + 0.3 * random.integers(0, 256, 3)).astype(int).tolist())

    for _ in range(random.integers(1, 4)):
        x, y = random.integers(0, side, 2).tolist()
        across, down = random.integers(side // 20, side // 6, 2).tolist()
        draw.ellipse((x - across, y - down, x + across, y + down), fill=colour())
    for _ in range(random.integers(1, 4)):
        draw.line(random.integers(0, side, 4).tolist(), fill=colour(), width=int(random.integers(1, 4)))
    for _ in range(random.integers(1, 4)):
        top, left = random.integers(0, 4, 2)
        part = scans[random.integers(len(scans))][top : top + 5, left : left + 5]
        stamp = Image.fromarray((_ink(part, int(random.integers(side // 7, side // 4))) * 255).astype(np.uint8))
        image.paste(colour(), tuple(random.integers(-4, side - 8, 2).tolist()), stamp)
