"""Objects on an example image of the page: their boxes and masks, coloured by what became of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

COLOURS = {"matched": "#009e73", "missed": "#56b4e9", "false": "#d55e00", "ignored": "#808080"}
"""The colours of ``task/drawing.py``, which is not imported here because it imports torch."""

_WORDS = {"matched": "found", "missed": "missed", "false": "false", "ignored": "not scored"}


def boxes(values: Mapping[str, Any], size: tuple[int, int], classes: Sequence[str]) -> list[dict[str, Any]]:
    """The boxes of a record's objects in the picture's pixels, with colour and title.

    Args:
        size: (width, height) of the picture.
    """
    return [_box(one, size, classes) for one in values.get("objects", ())]


def text(values: Mapping[str, Any]) -> str:
    """How many objects there are of each status: "3 found, 1 missed"."""
    counts = Counter(one["status"] for one in values["objects"])
    return ", ".join(f"{counts[status]} {word}" for status, word in _WORDS.items() if counts[status]) or "none"


def legend(records: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The statuses and their colours; [] if no record has objects."""
    shown = {one["status"] for record in records for kind in ("truth", "prediction")
             for one in record[kind].get("objects", ())}  # fmt: skip
    return [(_WORDS[status], colour) for status, colour in COLOURS.items() if status in shown]


def _box(one: Mapping[str, Any], size: tuple[int, int], classes: Sequence[str]) -> dict[str, Any]:
    x, y, h, w = (float(value) for value in one["box"])
    shape = [x * size[0], y * size[1], max(0.0, w) * size[0], max(0.0, h) * size[1]]
    name = classes[one["label"]] if one["label"] < len(classes) else str(one["label"])
    share = f" {one['score']:.0%}" if "score" in one else ""
    title = f"{name}{share}, {_WORDS.get(one['status'], one['status'])}"
    return {
        "shape": [round(value, 1) for value in shape],
        "colour": COLOURS.get(one["status"], "#808080"),
        "title": title,
    }
