"""Errors for masks whose values have no name, each with the key that would name them."""

from collections.abc import Iterable, Sequence

import numpy as np

from vggexp.sample.layout.mask_scan import Color, Scan, colors_of, pixels_of
from vggexp.sample.record.mask_labels import raw_colors, raw_values, values_advice
from vggexp.sample.record.problem import SHOWN, Problem
from vggexp.sample.record.record import MaskValues, Record

MOST_CLASSES = 64
RARE = 1e-3
"""A colour that covers a smaller share of one mask, and occurs in no other, is taken for a slip."""


def proposed_colors(scan: Scan, records: Iterable[Record]) -> Problem:
    """The error for colour masks without ``data.colors``, with a table that can be pasted as it is."""
    total = colors_of(scan)
    rare = {color: name for color in total if (name := _only_slip(scan, color))}
    table = {color: count for color, count in total.most_common() if color not in rare}
    busy = [name for name, file in scan.items() if file.colors == {} or (file.colors and file.is_jpeg)]
    if busy or len(table) > MOST_CLASSES:
        what = "mask in so many colours that they name no classes"
        remedy = "export it as PNG without smoothing; data.masks and data.suffix say which files are masks"
        return Problem("error", what, (busy or list(scan))[0], remedy)
    names = ["background" if color == (0, 0, 0) else f"class{number}" for number, color in enumerate(table)]
    words = ", ".join(f"{name}: {_shown(color)}" for name, color in zip(names, table, strict=True))
    mask_of = {record.annotation: record for record in records}
    slips = "".join(
        f"; {_shown(color)} is in {name} alone,{_pixel(mask_of[name], color)}: a slip?"
        for color, name in list(rare.items())[:SHOWN]
    )
    what = f"masks are in {len(table)} colours, and data.colors does not name them"
    remedy = f"give, with names of your own, 'data.colors={{{words}}}'{slips}"
    return Problem("error", what, f"{len(scan)} masks", remedy)


def _only_slip(scan: Scan, color: Color) -> str | None:
    """The mask in which a colour occurs, if there is only one and the colour covers few of its pixels."""
    having = [(name, file) for name, file in scan.items() if color in (file.colors or {})]
    if len(having) != 1:
        return None
    name, file = having[0]
    colors = file.colors or {}
    return name if colors[color] < RARE * sum(colors.values()) else None


def proposed_values(scan: Scan, seen: Sequence[int]) -> list[Problem]:
    """The errors of masks whose values have gaps."""
    known = next(value for value in range(257) if value not in seen)
    odd = [value for value in seen if value > known]
    if odd == [255] and known > 1:
        remedy = values_advice(list(seen)).removeprefix("; ")
    elif len(seen) <= MOST_CLASSES:
        remedy = f"name a value for each class, such as data.mask_values=[{','.join(map(str, seen))}]"
        remedy += f", or give data.ignore=[{odd[0]}]" if len(odd) == 1 and known > 1 else ""
    else:
        remedy = "data.masks and data.suffix say which files are masks; data.mask_values which values are classes"
    what = f"values of masks are not 0 to K - 1: {_some(seen)}"
    pixels = pixels_of(scan)
    rarest = min(odd, key=lambda value: (pixels[value], value))
    return [Problem("error", what, f"{name} has {rarest}", remedy)
            for name, file in scan.items() if rarest in file.values]  # fmt: skip


def strays(scan: Scan, records: Iterable[Record], masks: MaskValues) -> list[Problem]:
    """An error for each mask with a value or colour that means no class; the first few name the pixel, too."""
    named = {value for own in masks.values for value in own} | masks.void
    named_colors = {*masks.colors, *masks.void_colors}
    mask_of = {record.annotation: record for record in records}
    remedy = values_advice(sorted(pixels_of(scan))).removeprefix("; ")
    problems: list[Problem] = []
    for name, file in scan.items():
        pixel = len(problems) < SHOWN
        if masks.colors and (odd := [color for color in file.colors or {} if color not in named_colors]):
            where = f"{name} has {_shown(odd[0])}{_pixel(mask_of[name], odd[0]) if pixel else ''}"
            advice = "add it to data.colors or to data.ignore, or mend the pixel"
            problems.append(Problem("error", "mask with a colour that data.colors does not name", where, advice))
        elif masks.colors and not file.colors:
            advice = "export it as PNG without smoothing"
            problems.append(Problem("error", "mask in so many colours that they name no classes", name, advice))
        elif not masks.colors and (others := sorted(file.values.keys() - named)):
            where = f"{name} has {others[0]}{_pixel(mask_of[name], others[0]) if pixel else ''}"
            problems.append(Problem("error", "mask with a value that means no class", where, remedy))
    return problems


def _pixel(record: Record, wanted: int | Color) -> str:
    """Where a mask first has a value, row by row."""
    assert record.mask is not None
    if isinstance(wanted, tuple):
        found = raw_colors(record.mask) == (wanted[0] << 16) + (wanted[1] << 8) + wanted[2]
    else:
        found = raw_values(record.mask) == wanted
    row, column = (int(place) for place in np.argwhere(found)[0])
    return f" at pixel ({column}, {row})"


def _shown(color: Color) -> str:
    return f"[{color[0]},{color[1]},{color[2]}]"


def _some(values: Sequence[int]) -> str:
    shown = ", ".join(map(str, values[:12]))
    return f"{shown}, ... ({len(values)} values)" if len(values) > 12 else shown
