"""YOLO's label files: a row an object, its class's number and then a box or an outline, in shares of the photo."""

from collections.abc import Iterator, Sequence
from math import isfinite

from vggexp.sample.layout.photo_index import without_ending
from vggexp.sample.layout.yolo_yaml import Described
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Object

SHARES = "give shares of the photo's width and height, 0 to 1"
MOST = 2.0
"""A number beyond this, either way, is no share: it counts pixels."""


def label_file(photo: str) -> str:
    """The name of a photo's label file: the last folder "images" is "labels"; without one, it lies beside the photo.

    >>> label_file("images/train/a.1.jpg"), label_file("a.png")
    ('labels/train/a.1.txt', 'a.txt')
    """
    start, folder, rest = f"/{without_ending(photo)}.txt".rpartition("/images/")
    return (f"{start}/labels/{rest}" if folder else rest)[1:]


def objects_in(text: str, where: str, facts: Described, problems: list[Problem]) -> Iterator[Object]:
    """The objects of a label file's text; rows that mean nothing are added to the problems, each with its line."""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        found, wrong, remedy = _object(words, facts)
        if found is not None:
            yield found
        else:
            place = f"{where}:{number}" + (f" ({words[0]})" if wrong.startswith("class") else "")
            problems.append(Problem("warning", f"{wrong}: skipped", place, remedy))


def _object(words: Sequence[str], facts: Described) -> tuple[Object | None, str, str]:
    """The object of a row; else what is wrong with it, and what would be right."""
    try:
        number, *values = map(float, words)
    except ValueError:
        number, values = -1.0, []
    if not all(map(isfinite, (number, *values))) or not (len(values) == 4 or _is_outline(values, facts)):
        return None, "row that is neither 'class x y width height' nor 'class x1 y1 x2 y2 x3 y3 ...'", ""
    if number not in facts.names:
        numbers = f"{min(facts.names)} to {max(facts.names)}" if facts.names else "none"
        return None, f"class number that {facts.file} does not name", f"it names {numbers}"
    if max(map(abs, values[:4] if facts.keypoints else values)) > MOST:
        return None, "row whose numbers are no shares of its photo", SHARES
    label = facts.names[int(number)]
    if len(values) == 4 or facts.keypoints:
        x, y, width, height = values[:4]
        return Object(label, (x - width / 2, y - height / 2, x + width / 2, y + height / 2)), "", ""
    across, down = values[::2], values[1::2]
    return Object(label, (min(across), min(down), max(across), max(down)), (tuple(values),)), "", ""


def _is_outline(values: Sequence[float], facts: Described) -> bool:
    """Whether the numbers are points, three or more; of a pose, a box and the points."""
    return len(values) >= 4 if facts.keypoints else len(values) >= 6 and len(values) % 2 == 0
