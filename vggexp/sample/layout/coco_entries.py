"""The entries of COCO's JSON, unchecked, in little memory.

Of an annotation five fields are kept, and its outline as an array of 8-byte numbers, a quarter of the size of a list.
"""

from array import array
from typing import Any, NamedTuple

from vggexp.sample.record.record import Shape

Id = int | str


class Image(NamedTuple):
    """An entry of "images"; the fields are what the file says, unchecked."""

    id: Any
    file_name: Any
    height: Any
    width: Any


class Annotation(NamedTuple):
    """An entry of "annotations"; the fields but ``shape`` are what the file says, unchecked."""

    id: Any
    image_id: Any
    category_id: Any
    bbox: Any
    shape: Shape | None
    crowd: bool
    odd: str
    """What is wrong with the outline; "" if nothing is."""


def compact(outline: Any) -> tuple[Shape | None, str]:
    """The compact form of an outline, or None if there is none; and what is wrong with it."""
    if not outline:
        return None, ""
    try:
        if isinstance(outline, dict):
            height, width = map(int, outline["size"])
            counts = outline["counts"]
            return {"size": (height, width), "counts": counts if isinstance(counts, str) else array("l", counts)}, ""
        polygons = [outline] if isinstance(outline[0], int | float) else outline
        whole = tuple(array("d", polygon) for polygon in polygons)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None, "outline that is neither polygons nor run lengths: skipped"
    sound = tuple(polygon for polygon in whole if len(polygon) >= 6 and len(polygon) % 2 == 0)
    return sound or None, "" if len(sound) == len(whole) else "polygon that is not three points or more: skipped"
