"""One photo with all that its annotations say: the description that every layout is read into."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from vggexp.sample.record.problem import Problem

Edges = tuple[float, float, float, float]
"""left, top, right, bottom."""
Size = tuple[int, int]
"""height, width, pixels."""
Shape = Sequence[Sequence[float]] | Mapping[str, Any]
"""An outline: polygons, each (x1, y1, x2, y2, ...); or COCO's run-length code, {"size": [height, width], "counts"}."""

Copies = tuple[tuple[str, ...], ...]
"""The names of photos whose files are equal to the byte, a group each."""


@dataclass(frozen=True, slots=True)
class Object:
    """One of the things that a photo shows."""

    label: str
    """Its class."""
    box: Edges
    """In ``Record.unit``, from 0 at the photo's left and top edges; ``right`` and ``bottom`` are edges, too."""
    shape: Shape | None = None
    """Its outline, in pixels or shares as the box."""
    crowd: bool = False
    """A group that was annotated as one: no single object, never a target of its own."""
    difficult: bool = False
    """VOC's flag: scored by nobody, and no target here."""


@dataclass(frozen=True, slots=True)
class Record:
    """One photo and its annotations."""

    image: Path
    name: str
    """The photo's path below the root, with "/" and its ending: its identity in lists, in splits and in messages."""
    labels: tuple[str, ...] = ()
    """The classes of the whole photo."""
    objects: tuple[Object, ...] | None = None
    """None: nobody annotated objects here; (): somebody did, and there is none."""
    mask: Path | None = None
    """An image of class values, read by ``Listing.masks``."""
    instances: Path | None = None
    """An image whose values number the objects from 1, each with one value; 0 and 255 are of none."""
    size: Size | None = None
    """The photo's size as the annotation gives it: it tells stored from upright pixels."""
    unit: Literal["pixel", "share"] = "pixel"
    """Of boxes and outlines: pixels, or shares of the photo's width and height."""
    split: str | None = None
    """"train", "val" or "test", where the layout says so."""
    group: str | None = None
    """What a split may not divide: a patient, a video, a scene."""
    annotation: str = ""
    """Where the annotation stands, such as "Annotations/3.xml" or "labels.csv:7": for messages."""


@dataclass(frozen=True)
class MaskValues:
    """The classes of mask files, and how a file's values name them.

    One of ``values`` and ``colors`` is given, and has an entry for each class.
    """

    classes: tuple[str, ...]
    values: tuple[tuple[int, ...], ...] = ()
    """By class: the gray values or palette indices that mean it."""
    colors: tuple[tuple[int, int, int], ...] = ()
    """By class: the RGB colour that means it."""
    void: frozenset[int] = frozenset({255})
    """Values without ground truth, of those that mean no class."""
    void_colors: frozenset[tuple[int, int, int]] = frozenset()


@dataclass(frozen=True)
class Listing:
    """All photos of a folder."""

    records: tuple[Record, ...]
    """By name."""
    classes: tuple[str, ...] = ()
    """The layout's classes in its own order, those without a photo included."""
    masks: MaskValues | None = None
    """What the values in mask files mean; None if there are no mask files."""
    problems: tuple[Problem, ...] = ()
    boxes: str = "left, top, right, bottom"
    """How the reader took boxes to be written: told with boxes that are odd."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else ``inspect`` tells of the layout: its kind, the files that it was read from."""
    copies: Copies | None = None
    """All copies among the photos; None: nobody has looked."""


_DIGITS = 100
"""Names of so many digits are no numbers; Python converts none of more than 4,300."""


def names_in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, in the order of numbers where all are numbers, else of the alphabet.

    >>> names_in_order(["10", "9", "9"]), names_in_order(["b", "a"])
    (('9', '10'), ('a', 'b'))
    >>> len(names_in_order(["9" * 5000, "1"]))
    2
    """
    found = set(names)
    if all(name.isdecimal() and len(name) < _DIGITS for name in found):
        return tuple(sorted(found, key=int))
    return tuple(sorted(found))
