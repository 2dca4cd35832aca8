"""Draws canvases: digits on a background that is there to distract. ``data/digits.py`` says which digits, and where."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Floats = NDArray[np.float32]

INK = 0.42
"""How dark a scan's interpolated pixel must be, of 1, to count as ink."""
HIDDEN = 0.3
"""The most of a digit's box that may lie in another's."""
DRAWS = 50
"""How often a place is drawn for a digit, before it is left out."""


def scattered(
    scans: Sequence[Floats], size: tuple[int, int], canvas: int, random: Generator
) -> tuple[list[Floats], list[tuple[int, int]]]:
    """Each scan's ink at a size of its own, and its (left, top); only the first ones if there is no room for more.

    Two may overlap, as long as neither hides more than ``HIDDEN`` of the other's box.
    """
    inks: list[Floats] = []
    boxes: list[tuple[int, int, int, int]] = []
    least, most = (max(8, round(side / len(scans) ** 0.5)) for side in size)
    for scan in scans:
        for _ in range(DRAWS):
            ink = ink_of(scan, int(random.integers(least, most + 1)))
            left, top = (int(random.integers(0, canvas - side + 1)) for side in ink.shape[::-1])
            box = (left, top, left + ink.shape[1], top + ink.shape[0])
            if all(_hidden(box, other) <= HIDDEN for other in boxes):
                inks.append(ink)
                boxes.append(box)
                break
    return inks, [(left, top) for left, top, _, _ in boxes]


def _hidden(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> float:
    """The share of the smaller box that lies in the other one."""
    shared = max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    return shared / min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))


def extent(layer: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """The edges of what is set: left, top, right, bottom."""
    rows, columns = np.flatnonzero(layer.any(1)), np.flatnonzero(layer.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def ink_of(scan: Floats, side: int) -> Floats:
    """A scan to its opacity 0..1 at ``side`` pixels, cut to the ink: the first and last row and column hold some."""
    gray = np.asarray(Image.fromarray(scan).resize((side, side), Image.Resampling.BICUBIC))
    opacity = ((gray - INK) * side / 6).clip(0, 1)  # an edge of one or two pixels at any size
    opacity[opacity < 0.2] = 0  # too faint to see, so no ink: the box shall enclose what the eye finds
    rows, columns = np.flatnonzero(opacity.any(1)), np.flatnonzero(opacity.any(0))
    return opacity[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if rows.size else opacity


def paint(
    scans: Floats, inks: Sequence[Floats], places: Sequence[tuple[int, int]], canvas: int, random: Generator
) -> tuple[NDArray[np.uint8], list[NDArray[np.bool_]]]:
    """A canvas with several digits, and of each the pixels (canvas, canvas) where no later one is drawn over it."""
    image = Image.fromarray(_background(canvas, random))
    _clutter(image, scans, random)
    layers: list[NDArray[np.bool_]] = []
    for ink, (left, top) in zip(inks, places, strict=True):
        stamp = Image.fromarray((ink * 255).astype(np.uint8))
        image.paste(tuple(random.integers(185, 256, 3).tolist()), (left, top), stamp)
        drawn = np.zeros((canvas, canvas), bool)
        drawn[top : top + ink.shape[0], left : left + ink.shape[1]] = ink > 0
        layers = [*(layer & ~drawn for layer in layers), drawn]
    grain = random.integers(-12, 13, (canvas, canvas, 3), dtype=np.int16)
    return (np.asarray(image) + grain).clip(0, 255).astype(np.uint8), layers


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
        stamp = Image.fromarray((ink_of(part, int(random.integers(side // 7, side // 4))) * 255).astype(np.uint8))
        image.paste(colour(), tuple(random.integers(-4, side - 8, 2).tolist()), stamp)
