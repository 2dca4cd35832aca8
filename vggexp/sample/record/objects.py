"""Which of a photo's objects can be used, and which one is the target of a task that takes one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from vggexp.errors import DataError
from vggexp.sample.record.classes import ClassTable
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Edges, Object, Record

Select = Literal["largest", "single", "error"]
SELECT = ("largest", "single", "error")


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a photo for a task with one object or class per photo."""

    label: int
    box: Edges | None


def with_usable_objects(record: Record, written: str = "") -> tuple[Record, list[Problem]]:
    """The record without its unusable boxes, and the problems with those.

    Args:
        written: how boxes were taken to be written, ``Listing.boxes``.
    """
    problems: list[Problem] = []
    kept = [found for found in record.objects or () if _is_usable(found, record, written, problems)]
    return (replace(record, objects=tuple(kept)) if problems else record), problems


def _is_usable(found: Object, record: Record, written: str, problems: list[Problem]) -> bool:
    left, top, right, bottom = found.box
    height, width = (1, 1) if record.unit == "share" else record.size or (float("inf"), float("inf"))
    what, usable, remedy = "", False, ""
    if not all(abs(edge) < float("inf") for edge in found.box):  # nor is NaN
        what = "box that is not four finite numbers: skipped"
    elif right < left or bottom < top:
        what, remedy = "box with swapped corners: skipped", f"boxes are read as {written}" * bool(written)
    elif right == left or bottom == top:
        what = "box without area: skipped"
    elif right <= 0 or bottom <= 0 or left >= width or top >= height:
        what = "box outside its photo: skipped"
    else:
        usable = True
        slack = 1e-3 if record.unit == "share" else 1.0
        if left < -slack or top < -slack or right > width + slack or bottom > height + slack:
            what, remedy = "box that reaches outside its photo: clipped", f"boxes are read as {written}" * bool(written)
    if what:
        problems.append(Problem("warning", what, record.annotation or record.name, remedy))
    return usable


def chosen_objects(record: Record, table: ClassTable, difficult: bool) -> Iterator[Object]:
    """The objects of the classes in use that can be a target."""
    for found in record.objects or ():
        if found.label in table.label_of and not found.crowd and (difficult or not found.difficult):
            yield found


def target_of(record: Record, table: ClassTable, select: Select, difficult: bool) -> Target | None:
    """The target of a photo; None if it has none.

    Args:
        select: of several objects take the largest; or use photos with a single one; or refuse several.
        difficult: whether objects that VOC calls difficult can be the target.

    Raises:
        DataError: several objects or classes, and ``select`` is "error".
    """
    objects = list(chosen_objects(record, table, difficult))
    labels = sorted({table.label_of[name] for name in record.labels if name in table.label_of})
    if max(len(objects), len(labels)) > 1 and select == "error":
        what = f"{len(objects)} objects" if len(objects) > 1 else f"{len(labels)} classes"
        raise DataError(
            f"{record.annotation or record.name} has {what}, and data.select=error allows one; give data.select=largest"
            " or data.select=single, which uses only photos with one"
        )
    if objects and (len(objects) == 1 or select == "largest"):
        largest = max(objects, key=_area)
        return Target(table.label_of[largest.label], largest.box)
    if not objects and len(labels) == 1:
        return Target(labels[0], None)
    return None


def labels_of(record: Record, table: ClassTable, difficult: bool) -> frozenset[int]:
    """Every class in use that the photo shows, crowds included."""
    names = {*record.labels, *(found.label for found in record.objects or () if difficult or not found.difficult)}
    return frozenset(table.label_of[name] for name in names if name in table.label_of)


def is_labelled(record: Record) -> bool:
    """Whether the photo's classes were annotated, even if it shows none."""
    return bool(record.labels) or record.objects is not None


def looks_like_shares(box: Edges) -> bool:
    """Whether a box in pixels is within the photo's first pixel: then it was meant as shares of the photo.

    >>> looks_like_shares((0.1, 0.2, 0.5, 1.0)), looks_like_shares((0, 0, 0, 0)), looks_like_shares((0, 0, 2, 1))
    (True, False, False)
    """
    left, top, right, bottom = box
    return 0 <= left < right <= 1 and 0 <= top < bottom <= 1


def _area(found: Object) -> float:
    left, top, right, bottom = found.box
    return (right - left) * (bottom - top)
