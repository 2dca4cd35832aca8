"""Where the blocks of a picture stand: from left to right as they run, a branch of the head on a line of its own below.

Lengths are in the units of the picture's ``viewBox``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt

from vggexp.report.picture.blocks import Block, Slab

SIDE, LEAST = 210.0, 7.0
"""Height of a map of the image's size, and of the smallest map."""
THICKNESS, THINNEST = 1.15, 3.0
"""Thickness of a map of one channel, by the square root, and of the thinnest map."""
DEPTH = (0.30, -0.20)
"""The edge that goes into the picture: right and up, in parts of the map's width."""
GAP, SPACE = 4.0, 20.0
"""Between two slabs, and between two blocks."""
CARD = 104.0
"""Width of the text below a block."""
CARD_HEIGHT = 112.0


@dataclass(frozen=True)
class Box:
    """A slab in its place, as a cuboid seen from the front, the right and above."""

    slab: Slab
    left: float
    middle: float
    """Of its front."""
    thickness: float
    height: float
    depth: tuple[float, float]

    @property
    def top(self) -> float:
        """The highest point."""
        return self.middle - self.height / 2 + self.depth[1]

    @property
    def crown(self) -> tuple[float, float]:
        """The middle of the top face."""
        x, y = self.left + self.thickness / 2, self.middle - self.height / 2
        return x + self.depth[0] / 2, y + self.depth[1] / 2


@dataclass
class Place:
    """A block in its place."""

    block: Block
    line: int
    left: float
    width: float
    boxes: list[Box] = field(default_factory=list)

    @property
    def centre(self) -> float:
        """The middle of its text."""
        return self.left + self.width / 2

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width


@dataclass
class Layout:
    """All blocks in their places."""

    places: list[Place]
    middles: list[float]
    """Of each line of blocks: the height of its axis."""
    cards: list[float]
    """Of each line of blocks: the height at which its texts begin."""
    width: float
    height: float


def layout(blocks: Sequence[Block], image: Slab, top: float, left: float) -> Layout:
    """Place the blocks below ``top`` and right of ``left``; the first place is the image's."""
    side = max(image.shape[1:])
    places = [Place(Block("image", (), (image,), ()), 0, left, CARD)]
    lines = _lines(blocks)
    ends = {0: places[0].right}
    for place, block in enumerate(blocks):
        after = max((places[one + 1].right for one in block.reads), default=places[0].right)
        start = max(ends.get(lines[place], 0.0), after) + SPACE
        places.append(Place(block, lines[place], start, _width(block, side)))
        ends[lines[place]] = places[-1].right
    middles, cards, bottom = [], [], top
    for line in range(max(lines, default=0) + 1):
        own = [place for place in places if place.line == line]
        reach = max(_reach(slab, side) for place in own for slab in place.block.slabs)
        middles.append(bottom + reach)
        cards.append(bottom + 2 * reach + 10)
        bottom = cards[-1] + CARD_HEIGHT
    for one in places:
        one.boxes = _boxes(one, middles[one.line], side)
    return Layout(places, middles, cards, max(ends.values()), bottom)


def _lines(blocks: Sequence[Block]) -> list[int]:
    """The line of each block: that of the last block that it reads, if no larger branch goes on there."""
    readers: dict[int, list[int]] = {}
    for place, block in enumerate(blocks):
        readers.setdefault(max(block.reads, default=-1), []).append(place)
    lengths = [1] * len(blocks)
    for place in reversed(range(len(blocks))):
        lengths[place] += max((lengths[one] for one in readers.get(place, ())), default=0)
    lines, used = [0] * len(blocks), 1
    for place in range(-1, len(blocks)):
        # What reads most goes straight on, so that no skip crosses another line.
        branches = sorted(readers.get(place, ()), key=lambda one: (-len(blocks[one].reads), -lengths[one]))
        for turn, one in enumerate(branches):
            lines[one] = used if turn else lines[place] if place >= 0 else 0
            used += bool(turn)
    return lines


def _side(size: int, side: int) -> float:
    return max(LEAST, SIDE * sqrt(size / side))


def _depth(slab: Slab, side: int) -> tuple[float, float]:
    width = _side(slab.shape[2], side)
    return DEPTH[0] * width, DEPTH[1] * width


def _thickness(slab: Slab) -> float:
    return max(THINNEST, THICKNESS * sqrt(slab.shape[0]))


def _reach(slab: Slab, side: int) -> float:
    """How far a slab reaches above and below its axis."""
    return _side(slab.shape[1], side) / 2 - _depth(slab, side)[1] / 2


def _row(block: Block, side: int) -> float:
    """Width of a block's slabs without their depth."""
    return sum(_thickness(slab) for slab in block.slabs) + GAP * (len(block.slabs) - 1)


def _width(block: Block, side: int) -> float:
    deepest = max((_depth(slab, side)[0] for slab in block.slabs), default=0.0)
    return max(CARD, _row(block, side) + deepest)


def _boxes(place: Place, middle: float, side: int) -> list[Box]:
    x, boxes = place.centre - _row(place.block, side) / 2, []
    for slab in place.block.slabs:
        depth, thickness = _depth(slab, side), _thickness(slab)
        boxes.append(Box(slab, x - depth[0] / 2, middle - depth[1] / 2, thickness, _side(slab.shape[1], side), depth))
        x += thickness + GAP
    return boxes
