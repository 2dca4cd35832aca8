"""The tiles of a heat map: one colour scale, and on each tile a number that can be read."""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

from vggexp.report.contrast import Rgb, contrast, rgb

CIVIDIS = ("#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55",
           "#fee838")  # fmt: skip
"""Colours of 0 to 1, equally far apart; plotly draws linear steps between them. Legible to colour-blind people (Nunez,
Anderton and Renslow, PLOS ONE 2018)."""
SCALE = [[place / (len(CIVIDIS) - 1), colour] for place, colour in enumerate(CIVIDIS)]
"""The same as plotly's ``colorscale``."""
DARK, LIGHT = "#000", "#fff"
TILES: dict[str, Any] = {"type": "heatmap", "colorscale": SCALE, "zmin": 0, "zmax": 1, "xgap": 1, "ygap": 1}
"""What the heat maps of all pages have in common: values from 0 to 1."""
NUMBERED: dict[str, Any] = {"texttemplate": "%{text}", "textfont": {"color": DARK}}
"""For a heat map whose ``text`` comes from ``numbers``."""


def numbers(values: Sequence[Sequence[float | None]], least: float = -math.inf) -> list[list[str]]:
    """The text of each tile, white on dark tiles; "" for None, for NaN, and for a value below ``least``."""
    return [["" if value is None or not value >= least else _number(value) for value in row] for row in values]


def _number(value: float) -> str:
    text = f"{value:.2f}"
    return text if ink(value) == DARK else f'<span style="color:{LIGHT}">{text}</span>'


def ink(value: float) -> str:
    """Black or white, whichever has the greater contrast with the tile of this value."""
    return DARK if value > _turn() else LIGHT


@cache
def _turn() -> float:
    """The last value, in thousandths, whose tile is dark: the scale becomes ever lighter."""
    steps = (place / 1000 for place in range(1001))
    return max(step for step in steps if contrast(rgb(LIGHT), tile(step)) > contrast(rgb(DARK), tile(step)))


def tile(value: float) -> Rgb:
    """The colour of a value's tile; values beyond 0 and 1 have the colour of the end."""
    place = min(max(value, 0.0), 1.0) * (len(CIVIDIS) - 1)
    first = min(int(place), len(CIVIDIS) - 2)
    before, after, share = rgb(CIVIDIS[first]), rgb(CIVIDIS[first + 1]), place - first
    red, green, blue = (one + share * (other - one) for one, other in zip(before, after, strict=True))
    return red, green, blue
