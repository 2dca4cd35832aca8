"""What the values in mask files mean: as the user says, or as the values show; otherwise an error asks the user."""

from collections.abc import Sequence

from vggexp.sample.layout.mask_proposal import proposed_colors, proposed_values
from vggexp.sample.layout.mask_scan import Scan, pixels_of
from vggexp.sample.layout.mask_words import OBJECT, MaskWords
from vggexp.sample.record.mask_labels import BACKGROUND
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import MaskValues, Record

JPEG = "mask saved as JPEG, which smears its values"
AS_PNG = "export the masks as PNG"
SPLIT_IN_MIDDLE = "data.mask_values=[0-127,128-255]"
"""For binary masks with blurred values: each pixel becomes the nearer of 0 and 255."""

MOST_IDS = 200
"""Maximum number of values that are taken for classes without asking: ADE20K has 150 classes, COCO-stuff 171."""


def meaning(scan: Scan, records: Sequence[Record], words: MaskWords, problems: list[Problem]) -> MaskValues | None:
    """What the values mean; None, with an error added to the problems, if that is unclear."""
    if words.colors:
        colors = tuple(words.colors.values())
        return MaskValues(tuple(words.colors), colors=colors, void=frozenset(), void_colors=words.ignore_colors)
    if any(file.colors is not None for file in scan.values()):
        problems.append(proposed_colors(scan, records))
        return None
    seen = sorted(pixels_of(scan).keys() - words.ignore)
    if smeared := _smeared(scan, seen, words):
        problems += smeared
        return None
    if words.nonzero:
        others = tuple(value for value in range(1, 256) if value not in words.ignore)
        return MaskValues(words.names or (BACKGROUND, OBJECT), ((0,), others), void=words.ignore)
    if words.values is not None:
        return MaskValues(words.names or _names(words.values), words.values, void=words.ignore)
    if seen == [0, 255]:
        names = words.names or (BACKGROUND, OBJECT)
        if len(names) == 2:
            what = f"masks hold 0 and 255: read as binary, 255 is {names[1]!r}"
            problems.append(Problem("note", what, f"{len(scan)} masks"))
            return MaskValues(names, ((0,), (255,)), void=words.ignore)
    if words.names is not None:
        return MaskValues(words.names, tuple((value,) for value in range(len(words.names))), void=words.ignore)
    return _plain_ids(scan, seen, words, problems)


def _plain_ids(scan: Scan, seen: list[int], words: MaskWords, problems: list[Problem]) -> MaskValues | None:
    """Values 0 to K - 1 as K classes, unless there is evidence against it."""
    if len(seen) < 2:
        only = f"only the value {seen[0]}" if seen else "no value"
        remedy = "one class is nothing to learn; see data.ignore, data.mask_values and the masks"
        problems.append(Problem("error", f"masks hold {only}, apart from data.ignore", f"{len(scan)} masks", remedy))
    elif len(seen) > MOST_IDS:
        remedy = "these look like photos; data.masks and data.suffix say which files are masks"
        problems.append(Problem("error", f"masks hold {len(seen)} values", f"{len(scan)} masks", remedy))
    elif seen != list(range(len(seen))):
        problems += proposed_values(scan, seen)
    elif _like_objects(scan, words.ignore):
        remedy = "give data.mask_values=nonzero for one class, or data.mask_classes=[...] if the values are classes"
        what = f"each mask has the values 0 to n, and n differs, up to {seen[-1]}, as if they numbered objects"
        problems.append(Problem("error", what, f"{len(scan)} masks", remedy))
    else:
        return MaskValues(tuple(map(str, seen)), tuple((value,) for value in seen), void=words.ignore)
    return None


def _names(values: Sequence[Sequence[int]]) -> tuple[str, ...]:
    """Names for classes that are known only by their values."""
    if len(values) == 2 and 0 in values[0]:
        return BACKGROUND, OBJECT
    return tuple(str(own[0]) if len(own) == 1 else f"{own[0]}-{own[-1]}" for own in values)


def _smeared(scan: Scan, seen: list[int], words: MaskWords) -> list[Problem]:
    """Errors for masks whose values were blurred by JPEG or smoothing, unless the user's keys name all values."""
    named = words.values or [(value,) for value in range(len(words.names or ()))]
    if set(seen) <= {value for own in named for value in own}:
        return []
    binary = seen[-1] > 223 and _at_ends(scan) > 0.9
    remedy = f"{AS_PNG}; or if they are binary, give {SPLIT_IN_MIDDLE}" if binary else AS_PNG
    if jpegs := [name for name, file in scan.items() if file.is_jpeg]:
        return [Problem("error", JPEG, name, remedy) for name in jpegs]
    if binary and len(seen) > 40 and not words.nonzero:
        what = f"masks hold {len(seen)} values, as if binary masks had been smoothed"
        return [Problem("error", what, f"{len(scan)} masks", remedy)]
    return []


def _at_ends(scan: Scan) -> float:
    """The share of pixels that are nearly 0 or nearly 255."""
    pixels = pixels_of(scan)
    return sum(count for value, count in pixels.items() if value < 32 or value > 223) / sum(pixels.values())


def _like_objects(scan: Scan, ignore: frozenset[int]) -> bool:
    """Whether each mask has the values 0 to n, and n differs: ids of objects, as Penn-Fudan has them."""
    sets = [file.values.keys() - ignore for file in scan.values()]
    tops = {max(own, default=0) for own in sets}
    return all(own == set(range(len(own))) for own in sets) and len(tops) > 1 and max(tops) > 1
