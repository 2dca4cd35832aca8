"""What a picture consists of, and its colours in light and dark; svg.py and plotted.py write both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Point = tuple[float, float]


@dataclass(frozen=True)
class Polygon:
    """A filled area."""

    style: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Line:
    """A line, with an arrow at its end."""

    style: str
    points: Sequence[Point]
    has_arrow: bool = False


@dataclass(frozen=True)
class Text:
    """A line of text; ``at`` is its baseline's start, middle or end."""

    style: str
    at: Point
    text: str
    anchor: Literal["start", "middle", "end"] = "start"


@dataclass(frozen=True)
class Group:
    """Shapes that belong together, and what they say when one points at them."""

    title: str
    shapes: Sequence[Polygon]


Shape = Polygon | Line | Text | Group


@dataclass(frozen=True)
class Picture:
    """Shapes in the order in which they are drawn."""

    width: float
    height: float
    shapes: Sequence[Shape]
    title: str
    description: str
    """For those who do not see it."""


@dataclass(frozen=True)
class Colours:
    """One theme."""

    ground: str
    ink: str
    dim: str
    line: str
    track: str
    parameters: str
    flops: str
    kinds: dict[str, str]


LIGHT = Colours(
    "#ffffff", "#1b1f24", "#59636e", "#8a949e", "#e3e7eb", "#2b6cb0", "#b7560b",
    {"image": "#aab4be", "conv": "#5b9bd5", "pool": "#e07a6a", "dense": "#57b08a", "deconv": "#a68bd8",
     "unpool": "#e3b04b"},
)  # fmt: skip
DARK = Colours(
    "#14171a", "#e6e9ec", "#a3adb8", "#7d8791", "#2c333a", "#6db1f2", "#f0a35e",
    {"image": "#77828d", "conv": "#3f7fbd", "pool": "#c25c4c", "dense": "#3c9470", "deconv": "#8468bd",
     "unpool": "#b98a2b"},
)  # fmt: skip
NAMES = {
    "conv": "convolution", "deconv": "transposed convolution", "dense": "dense layer", "pool": "pooling",
    "unpool": "unpooling, upsampling",
}  # fmt: skip
FROZEN = "frozen"
"""The style of the hatching over frozen slabs."""
TEXTS: dict[str, tuple[float, bool]] = {
    "title": (22, True), "name": (13, True), "text": (12, False), "dim": (12, False), "note": (13, False),
}  # fmt: skip
"""Size and boldness of each style of text; "dim" is grey."""


def mixed(colour: str, other: str, share: float) -> str:
    """``share`` of another colour in a colour.

    >>> mixed("#000000", "#ffffff", 0.5)
    '#808080'
    """
    first, second = ([int(one[k : k + 2], 16) for k in (1, 3, 5)] for one in (colour, other))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(first, second, strict=True))


def fills(colours: Colours) -> dict[str, str]:
    """The colour of each style of area: faces of slabs, bars and their tracks."""
    found = {"track": colours.track, "parameters": colours.parameters, "flops": colours.flops}
    for kind, colour in colours.kinds.items():
        found |= {
            f"{kind}-front": colour,
            f"{kind}-top": mixed(colour, "#ffffff", 0.35),
            f"{kind}-side": mixed(colour, "#000000", 0.18),
        }
    return found
