"""The embedded data set: handwritten digits on a cluttered canvas, with labels, boxes and masks; no download.

The digits are scikit-learn's 1,797 scans of 8 x 8 pixels (E. Alpaydin and C. Kaynak, Optical Recognition of
Handwritten Digits, UCI Machine Learning Repository, 1998). Each is drawn once, at a random size and place; or, for
detection, as one of several on a canvas (``objects``).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from vggexp.boxes import from_edges, to_edges, to_pixels
from vggexp.errors import ConfigError
from vggexp.sample.digit_canvas import Floats, extent, ink_of, paint, scattered
from vggexp.sample.resize import Recipe
from vggexp.sample.transform import Transform
from vggexp.types import OBJECT_MASKS, DataInfo, Objects, Sample

NAMES = tuple("0123456789")
HELD = 300
"""Digits in each of val and test; the other 1,197 are for training."""
MOST = 20
"""The most digits on a canvas."""


class Digits:
    """1,197 / 300 / 300 canvases, split by source digit, stratified and always the same.

    A canvas depends on ``seed`` and on its digit alone, not on the order of drawing. What lies behind the digit is
    there to distract: a colour gradient, noise, lines, blobs and fragments of other digits of the same split. Nothing
    is drawn over the digit, but other digits with ``objects``: a canvas then has its own digit and others of the same
    split, where they fit, and its label and its box are those of the largest.

    Args:
        canvas: height and width of an image, pixels.
        size: least and greatest height and width of the scan when drawn, pixels. Of n digits on a canvas, each is drawn
            smaller by the square root of n, so that they cover as much of it as one.
        objects: least and most digits on a canvas; None for one.
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
        objects: Sequence[int] | None = None,
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
        if objects is not None and (len(objects) != 2 or not 1 <= objects[0] <= objects[1] <= MOST):
            raise ConfigError(f"data.objects={list(objects)} must be [least, most] digits a canvas, from 1 to {MOST}")
        self.info = DataInfo(classes=tuple(kept), mask_classes=("background", *kept))
        self._canvas, self._size, self._seed = canvas, (size[0], size[1]), seed
        self._objects = None if objects is None else (objects[0], objects[1])
        self._train = Transform(train_transform, eval_transform) if train_transform else None
        self._eval = Transform(eval_transform) if eval_transform else None

    def split(self, name: str, needs: frozenset[str], *, augment: bool = False) -> Dataset[Sample]:
        """Split "train", "val" or "test"; every digit has every target."""
        kept = tuple(int(digit) for digit in self.info.classes)
        if self._objects is None:
            rendered = _render(name, kept, self._canvas, self._size, self._seed)
        else:
            rendered = _render_many(name, kept, self._canvas, self._size, self._seed, self._objects)
        columns = {key: column for key, column in rendered.items() if key in (needs | {"image"}) - {"objects"}}
        objects = None
        if "objects" in needs:
            objects = _single(rendered) if self._objects is None else rendered["objects"]
            if OBJECT_MASKS not in needs:
                objects = [Objects(one.boxes, one.labels) for one in objects]
        return _Canvases(columns, self._train if augment and self._train else self._eval, objects)


class _Canvases(Dataset[Sample]):
    """Rendered canvases in memory: a column a key, each (N, ...)."""

    in_memory = True

    def __init__(
        self, columns: dict[str, Tensor], transform: Transform | None, objects: Sequence[Objects] | None = None
    ) -> None:
        self._columns, self._transform, self._objects = columns, transform, objects
        self.labels = columns["label"].tolist() if "label" in columns else None

    def __len__(self) -> int:
        return len(self._columns["image"])

    def __getitem__(self, index: int) -> Sample:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: list[int]) -> list[Sample]:
        """A batch's samples in one go, as DataLoader asks for them: one indexing a column, not one a sample."""
        rows = torch.tensor(indices)
        columns = {"index": rows} | {key: column[rows] for key, column in self._columns.items()}
        samples: list[dict[str, Any]] = [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]
        if self._objects is not None:
            samples = [{**sample, "objects": self._objects[i]} for sample, i in zip(samples, indices, strict=True)]
        return [self._moved(sample) for sample in samples] if self._transform else cast("list[Sample]", samples)

    def _moved(self, sample: dict[str, Any]) -> Sample:
        assert self._transform is not None
        if "box" in sample:
            sample["box"] = (to_edges(sample["box"]) * sample["image"].shape[-1]).round()
        return self._transform(**sample)


def splits(labels: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Source digits of each split, in ascending order."""
    from sklearn.model_selection import train_test_split

    rest, test = train_test_split(np.arange(len(labels)), test_size=HELD, stratify=labels, random_state=0)
    train, val = train_test_split(rest, test_size=HELD, stratify=labels[rest], random_state=0)
    return {"train": np.sort(train), "val": np.sort(val), "test": np.sort(test)}


@lru_cache(maxsize=3)  # the splits of one data set: the runs of a sweep in one process draw them once
def _render(name: str, classes: tuple[int, ...], canvas: int, size: tuple[int, int], seed: int) -> Mapping[str, Any]:
    """A split's canvases of these classes, a column a key, each (N, ...); a digit's label is its place among them."""
    scans, places, pool, others = _pool(name, classes)
    images = np.empty((len(pool), canvas, canvas, 3), np.uint8)
    masks = np.zeros((len(pool), canvas, canvas), np.uint8)
    edges = np.empty((len(pool), 4), np.float32)
    for row, source in enumerate(pool):
        random = np.random.default_rng((seed, int(source)))
        ink = ink_of(scans[source], int(random.integers(size[0], size[1] + 1)))
        height, width = ink.shape
        top, left = (int(random.integers(0, canvas - side + 1)) for side in ink.shape)
        images[row], _ = paint(others, [ink], [(left, top)], canvas, random)
        masks[row, top : top + height, left : left + width][ink > 0] = places[source] + 1
        edges[row] = left, top, left + width, top + height
    return {
        "image": torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(),
        "label": torch.from_numpy(places[pool]),
        "box": from_edges(torch.from_numpy(edges) / canvas),
        "mask": torch.from_numpy(masks),
    }


def _pool(name: str, classes: tuple[int, ...]) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64], Floats]:
    """All scans and the label of each, its place among the classes or -1; a split's digits; and its scans."""
    from sklearn.datasets import load_digits

    scans, labels = load_digits(return_X_y=True)
    scans = (scans.reshape(-1, 8, 8) / 16).astype(np.float32)
    pool = splits(labels)[name]
    others = scans[pool]
    places = np.array([classes.index(digit) if digit in classes else -1 for digit in range(len(NAMES))])[labels]
    return scans, places, pool[places[pool] >= 0], others


def _single(rendered: Mapping[str, Tensor]) -> list[Objects]:
    """The one object of each canvas."""
    images, masks = rendered["image"], (rendered["mask"] > 0).to(torch.uint8)
    edges = to_pixels(rendered["box"], (images.shape[-2], images.shape[-1])).round()
    return [Objects(edges[row, None], rendered["label"][row, None], masks[row, None]) for row in range(len(images))]


@lru_cache(maxsize=3)
def _render_many(
    name: str, classes: tuple[int, ...], canvas: int, size: tuple[int, int], seed: int, count: tuple[int, int]
) -> Mapping[str, Any]:
    """As ``_render``, with several digits a canvas; beside the columns ``objects``, a list of each canvas's."""
    scans, places, pool, others = _pool(name, classes)
    images = np.empty((len(pool), canvas, canvas, 3), np.uint8)
    labels, edges = np.empty(len(pool), np.int64), np.empty((len(pool), 4), np.float32)
    masks = np.zeros((len(pool), canvas, canvas), np.uint8)
    shown, found = np.zeros((len(pool), len(classes)), np.uint8), []
    for row, source in enumerate(pool):
        random = np.random.default_rng((seed, int(source), 1))  # 1: other numbers than of a canvas with one digit
        wanted = int(random.integers(count[0], count[1] + 1))
        sources = [source, *random.choice(pool, wanted - 1)]
        inks, spots = scattered([scans[one] for one in sources], size, canvas, random)
        image, layers = paint(others, inks, spots, canvas, random)
        images[row] = image
        own = places[sources[: len(inks)]]
        for label, layer in zip(own, layers, strict=True):
            masks[row][layer] = label + 1
        boxes = np.array([extent(layer) for layer in layers], np.float32)
        largest = int(((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).argmax())
        labels[row], edges[row], shown[row, own] = own[largest], boxes[largest], 1
        found.append(
            Objects(torch.from_numpy(boxes), torch.from_numpy(own), torch.from_numpy(np.array(layers, np.uint8)))
        )
    return {
        "image": torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(),
        "label": torch.from_numpy(labels),
        "labels": torch.from_numpy(shown),
        "box": from_edges(torch.from_numpy(edges) / canvas),
        "mask": torch.from_numpy(masks),
        "objects": found,
    }
