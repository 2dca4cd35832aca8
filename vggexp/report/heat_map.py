"""The tiles of a heat map: one colour scale, and on each tile a number that can be read."""

import math
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
_CLEAR = [[0, "rgba(0,0,0,0)"], [1, "rgba(0,0,0,0)"]]
_NONE = " "
"""The text of a tile without a number: plotly finds the size of all numbers from neighbours that have a text."""
Trace = dict[str, Any]


def heat_map(tiles: Trace, *, is_numbered: bool = True, least: float = -math.inf, **both: Any) -> list[Trace]:
    """The traces of a heat map for plotly: coloured tiles with black numbers, and clear ones over them with white ones.

    Plotly has one text colour a trace, so each number stands in the trace whose colour has the greater contrast.

    Args:
        tiles: x, y, z (from 0 to 1; None or NaN where there is nothing), and what belongs to the tiles alone.
        is_numbered: whether tiles show their values.
        least: values below it are not shown.
        both: what belongs to both traces.
    """
    values = tiles["z"]
    coloured = {**_KIND, "colorscale": SCALE, **tiles, **both}
    if not is_numbered:
        return [coloured]
    clear = {**_KIND, "colorscale": _CLEAR, "x": tiles["x"], "y": tiles["y"], "z": [[0] * len(row) for row in values],
             "showscale": False, "hoverinfo": "skip", **both}  # fmt: skip
    for trace, colour in ((coloured, DARK), (clear, LIGHT)):
        trace["text"] = [[_number(value, colour, least) for value in row] for row in values]
        trace |= {"texttemplate": "%{text}", "textfont": {"color": colour}}
    return [coloured, clear]


_KIND: Trace = {"type": "heatmap", "zmin": 0, "zmax": 1, "xgap": 1, "ygap": 1}


def _number(value: float | None, colour: str, least: float) -> str:
    if value is None or not value >= least or ink(value) != colour:  # NaN, too
        return _NONE
    return f"{value:.2f}"


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
