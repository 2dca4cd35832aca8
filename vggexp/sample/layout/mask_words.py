"""The keys that say what the values in mask files mean: data.colors, .mask_values, .mask_classes and .ignore."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vggexp.errors import ConfigError

NONZERO = "nonzero"
OBJECT = "object"
"""The name of the class in masks of one object class and background."""
_SPAN = re.compile(r"(\d+)(?:-(\d+))?")

Color = tuple[int, int, int]
Values = str | Mapping[str, Any] | Sequence[Any]
"""``nonzero``; or a class's values in the order of the classes, or by the class's name: 7, [7, 8] or "0-127"."""


@dataclass(frozen=True)
class MaskWords:
    """What the user says about the values."""

    colors: Mapping[str, Color]
    """By class; {} where masks hold values."""
    values: tuple[tuple[int, ...], ...] | None
    """By class; None where nothing was said."""
    nonzero: bool
    """0 is the background, and all other values are one class."""
    names: tuple[str, ...] | None
    ignore: frozenset[int]
    ignore_colors: frozenset[Color]


def mask_words(
    colors: Mapping[str, Sequence[int]] | None, values: Values | None, names: Sequence[str] | None, ignore: Any
) -> MaskWords:
    """The keys' values, checked for consistency.

    Raises:
        ConfigError: keys that contradict each other, or invalid values, colours or names.
    """
    if colors and (values is not None or names is not None):
        raise ConfigError(
            "data.colors names the classes and their colours; leave out data.mask_values and .mask_classes"
        )
    if isinstance(values, Mapping) and names is not None:
        raise ConfigError("data.mask_values names the classes; leave out data.mask_classes")
    void, void_colors = _ignored(ignore, bool(colors))
    own = None if values is None or values == NONZERO else tuple(_values_by_class(values))
    _check_once(own or (), void)
    named = tuple(values) if isinstance(values, Mapping) else names
    words = MaskWords(
        {str(name): _color(f"data.colors.{name}", color) for name, color in (colors or {}).items()},
        own, values == NONZERO, None if named is None else tuple(map(str, named)), void, void_colors,
    )  # fmt: skip
    expected = 2 if words.nonzero else None if own is None else len(own)
    if words.names is not None and (len(words.names) < 2 or expected not in (None, len(words.names))):
        wanted = f"{expected}, one for each of data.mask_values" if expected else "at least 2"
        raise ConfigError(f"data.mask_classes has {len(words.names)} names; give {wanted}")
    if words.names is not None and len(set(words.names)) < len(words.names):
        raise ConfigError("data.mask_classes gives a name twice; give each class once")
    return words


def _values_by_class(values: Values) -> Iterator[tuple[int, ...]]:
    if isinstance(values, str):
        raise ConfigError(f"data.mask_values={values} is not known; give {NONZERO}, or a list such as [0,255]")
    own = list(values.values()) if isinstance(values, Mapping) else list(values)
    if len(own) < 2:
        raise ConfigError("data.mask_values needs at least 2 classes, such as [0,255]")
    for each in own:
        parts = each if isinstance(each, Sequence) and not isinstance(each, str) else [each]
        yield tuple(value for part in parts for value in _span("data.mask_values", part))


def _span(key: str, word: object) -> range:
    """The values of 7 or "0-127"."""
    found = _SPAN.fullmatch(str(word))
    span = range(int(found[1]), int(found[2] or found[1]) + 1) if found else range(0)
    if not span or span[-1] > 255:
        raise ConfigError(f"{key}: {word} is no value from 0 to 255, and no range such as 0-127")
    return span


def _ignored(ignore: Any, in_colors: bool) -> tuple[frozenset[int], frozenset[Color]]:
    items = [] if ignore is None else [ignore] if isinstance(ignore, int | str) else list(ignore)
    if in_colors:
        items = [items] if items and all(isinstance(item, int) for item in items) else items
        return frozenset(), frozenset(_color("data.ignore", item) for item in items)
    if any(isinstance(item, Sequence) and not isinstance(item, str) for item in items):
        raise ConfigError("data.ignore has a colour, and data.colors is not given; name the classes' colours there")
    return frozenset(value for item in items for value in _span("data.ignore", item)), frozenset()


def _color(key: str, color: object) -> Color:
    parts = tuple(color) if isinstance(color, Sequence) and not isinstance(color, str) else ()
    if len(parts) != 3 or not all(isinstance(part, int) and 0 <= part <= 255 for part in parts):
        raise ConfigError(f"{key}={color} is no colour; give red, green and blue from 0 to 255, such as [128,64,128]")
    return parts[0], parts[1], parts[2]


def _check_once(values: Sequence[Sequence[int]], void: frozenset[int]) -> None:
    """Raise ConfigError for a value that belongs to two classes, or to a class and to ``ignore``."""
    seen = set(void)
    for value in (value for own in values for value in own):
        if value in seen:
            other = "in data.ignore, too" if value in void else "twice"
            raise ConfigError(f"data.mask_values gives {value} {other}; a value means one thing")
        seen.add(value)
