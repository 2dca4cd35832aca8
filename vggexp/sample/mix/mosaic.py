"""Mosaic (Bochkovskiy, Wang & Liao, YOLOv4, arXiv 2004.10934, section 3.3): four images side by side, with objects."""

from random import Random
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vggexp.sample.mask_grid import cells_under
from vggexp.sample.moving import fitted, in_sight
from vggexp.types import Batch, Mixed, ObjectList, Objects


class _Window(NamedTuple):
    """A part of four images of (height, width), laid two by two, that becomes an image of their size."""

    places: list[int]
    """By corner (upper left, upper right, lower left, lower right), the row of the batch that lies there."""
    top: int
    left: int
    rows: int
    columns: int
    height: int
    width: int

    def corner(self, place: int) -> tuple[int, int]:
        """The window's (top, left) in the image at a corner."""
        return self.top - (place // 2) * self.height, self.left - (place % 2) * self.width


class Mosaic:
    """Each image becomes a part of four: itself and three others of its batch, two by two.

    The part is as wide and high as one to two images, drawn for each, and is scaled back to an image. Objects move and
    are cut with it by the rule of ``moving.apply``.

    Args:
        probability: that a batch is mixed.
        least: the least size of an image in the mosaic, as a share of its own, 0.5 to 1.

    Raises:
        ValueError: an argument that cannot be.
    """

    def __init__(self, probability: float = 1.0, least: float = 0.5) -> None:
        if not 0 <= probability <= 1:
            raise ValueError(f"mix.probability={probability} is not a number from 0 to 1")
        if not 0.5 <= least <= 1:
            raise ValueError(f"mix.least={least} is not a number from 0.5 to 1")
        self._probability, self._least = probability, least

    def __call__(self, batch: Batch, seed: int) -> Mixed:
        """The mosaics with their objects; see ``types.Mix``."""
        random = Random(seed)
        if random.random() >= self._probability:
            return [(1.0, batch)]
        images, objects = batch["image"], batch["objects"]
        windows = [self._window(row, images, random) for row in range(len(images))]
        mixed = torch.empty_like(images)  # in the memory layout of the batch
        for row, window in enumerate(windows):
            mixed[row] = _image(images, window)
        found = ObjectList(_objects(objects, window) for window in windows)
        return [(1.0, {**batch, "image": mixed, "objects": found})]

    def _window(self, row: int, images: Tensor, random: Random) -> _Window:
        count, height, width = len(images), images.shape[-2], images.shape[-1]
        places = [(row - step) % count for step in range(4)]
        random.shuffle(places)
        share = random.uniform(self._least, 1)
        rows, columns = round(height / share), round(width / share)
        top, left = random.randint(0, 2 * height - rows), random.randint(0, 2 * width - columns)
        return _Window(places, top, left, rows, columns, height, width)


def _image(images: Tensor, window: _Window) -> Tensor:
    """uint8, (3, H, W)."""
    part = images.new_empty((3, window.rows, window.columns), dtype=torch.float32)
    for place, row in enumerate(window.places):
        top, left = window.corner(place)
        (start, end), (first, last) = (
            _overlap(top, window.rows, window.height),
            _overlap(left, window.columns, window.width),
        )
        part[:, start:end, first:last] = images[row][:, start + top : end + top, first + left : last + left]
    scaled = interpolate(part[None], size=(window.height, window.width), mode="bilinear", antialias=True)[0]
    return scaled.round_().clamp_(0, 255).to(torch.uint8)


def _objects(objects: ObjectList, window: _Window) -> Objects:
    """The objects of the four that are in sight."""
    parts = [_moved(objects[row], window, place) for place, row in enumerate(window.places)]
    joined: dict[str, Any] = {}
    for key in ("boxes", "labels", "masks", "crowd", "difficult"):
        values = [getattr(each, key) for each in parts]
        if key in ("crowd", "difficult") and any(value is not None for value in values):
            values = [torch.zeros_like(each.labels, dtype=torch.bool) if value is None else value
                      for each, value in zip(parts, values, strict=True)]  # fmt: skip
        joined[key] = None if values[0] is None else torch.cat(values)
    return Objects(**joined)


def _moved(objects: Objects, window: _Window, place: int) -> Objects:
    """The objects of the image at one corner, in pixels of the mosaic."""
    top, left = window.corner(place)
    boxes = objects.boxes - objects.boxes.new_tensor([left, top, left, top])
    edges = boxes.new_tensor([window.columns, window.rows] * 2)
    clipped = boxes.clamp(min=0).minimum(edges)
    areas = [(each[:, 2:] - each[:, :2]).clamp(min=0).prod(1) for each in (clipped, boxes)]
    scale = boxes.new_tensor([window.width / window.columns, window.height / window.rows] * 2)
    found = Objects(clipped * scale, objects.labels, _masks(objects.masks, window, top, left), objects.crowd,
                    objects.difficult)  # fmt: skip
    rows = in_sight(objects, areas[0] / areas[1].clamp(min=1e-12))
    if found.masks is not None:
        rows = rows & (found.masks.flatten(1).amax(1) > 0)
    found = found[rows]
    return fitted(found, torch.ones_like(found.labels, dtype=torch.bool))


def _masks(masks: Tensor | None, window: _Window, top: int, left: int) -> Tensor | None:
    """Each pixel takes the label under its centre, as ``mask_grid.stretch``."""
    if masks is None:
        return None
    rows = torch.from_numpy(cells_under(window.height, window.rows)).to(masks.device) + top
    columns = torch.from_numpy(cells_under(window.width, window.columns)).to(masks.device) + left
    inside = (rows >= 0) & (rows < window.height), (columns >= 0) & (columns < window.width)
    found = torch.zeros_like(masks)
    if inside[0].any() and inside[1].any():
        start, first = int(inside[0].int().argmax()), int(inside[1].int().argmax())
        kept = masks.index_select(1, rows[inside[0]]).index_select(2, columns[inside[1]])
        found[:, start : start + kept.shape[1], first : first + kept.shape[2]] = kept
    return found


def _overlap(start: int, length: int, side: int) -> tuple[int, int]:
    """Where a stretch from ``start`` on lies on a side, counted from its own beginning."""
    first = min(max(-start, 0), length)
    return first, max(min(length, side - start), first)
