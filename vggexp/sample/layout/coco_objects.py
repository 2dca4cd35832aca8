"""Turns COCO's annotations into the objects of each image, and collects what is wrong with them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from vggexp.sample.layout.coco_entries import Annotation, Id, Image
from vggexp.sample.layout.coco_json import CocoJson
from vggexp.sample.record.objects import looks_like_shares
from vggexp.sample.record.outlines import polygon_extent
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Edges, Object, Size

_MOST = 2**63
"""Upper limit of a box's numbers: no photo is so large, and larger integers may not convert to floats."""


def objects_by_image(found: CocoJson, where: str, problems: list[Problem]) -> dict[Id, list[Object]]:
    """The objects of each image that has one, by its id, in the file's order.

    Args:
        found: its annotations are removed from it as they are read, to save memory.
        where: what the file is called in messages.
        problems: what is wrong is added to it.
    """
    images = {image.id for image in found.images if isinstance(image.id, int | str)}
    names = dict(found.categories)
    objects: dict[Id, list[Object]] = defaultdict(list)
    for number, each in enumerate(_taken(found.annotations)):
        place = f"{where}, annotation {number if each.id is None else each.id}"
        box = _edges(each)
        if not isinstance(each.image_id, int | str) or each.image_id not in images:
            what = "annotation without its image: left out"
            problems.append(Problem("warning", what, f"{place} (image {each.image_id})"))
        elif not isinstance(each.category_id, int | str) or each.category_id not in names:
            what, advice = "annotation of a category that the file does not list", "list it in categories"
            problems.append(Problem("error", what, f"{place} (category {each.category_id})", advice))
        elif box is None:
            advice = "give it a bbox [x, y, width, height] in pixels"
            problems.append(Problem("error", "annotation without four numbers as its bbox", place, advice))
        else:
            objects[each.image_id].append(Object(names[each.category_id], box, each.shape, each.crowd))
            problems += [Problem("warning", each.odd, place)] if each.odd else []
    problems += _shares(where, [one.box for several in objects.values() for one in several])
    return objects


def _taken(annotations: list[Annotation]) -> Iterator[Annotation]:
    """Yield the annotations in their order, and empty the list."""
    annotations.reverse()
    while annotations:
        yield annotations.pop()


def id_problems(found: CocoJson, where: str) -> list[Problem]:
    """An error for each duplicate id, and for each image without a usable id."""
    problems = []
    for image in found.images:
        if not isinstance(image.id, int | str) or not isinstance(image.file_name, str) or not image.file_name:
            at = f"{where}, image {image.id}"
            problems.append(Problem("error", "image without an id or a file_name", at, "give it both"))
    for kind, entries in (("image", found.images), ("annotation", found.annotations)):
        given = [each.id for each in entries if isinstance(each.id, int | str)]
        for each in _repeated(given):
            what = f"id that several {kind}s have"
            problems.append(Problem("error", what, f"{where}, {kind} {each}", "give each its own"))
    return problems


def size_of(image: Image) -> Size | None:
    """(height, width); None if the file does not give them."""
    sides = [
        side if isinstance(side, int | float) and 0 < side < 2**31 else None for side in (image.height, image.width)
    ]
    height, width = sides
    return (int(height), int(width)) if height is not None and width is not None else None


def _edges(found: Annotation) -> Edges | None:
    """An annotation's box, or that of its polygons; None if it has neither."""
    numbers = found.bbox
    if (
        isinstance(numbers, Sequence)
        and len(numbers) == 4
        and all(isinstance(each, int | float) and abs(each) < _MOST for each in numbers)
    ):
        left, top, width, height = map(float, numbers)
        return left, top, left + width, top + height
    return polygon_extent(found.shape) if not numbers and isinstance(found.shape, Sequence) else None


def _shares(where: str, boxes: Sequence[Edges]) -> list[Problem]:
    """An error if most boxes are given as shares of the photo; a single such box may be a slip."""
    if 2 * sum(map(looks_like_shares, boxes)) <= len(boxes):
        return []
    advice = "COCO counts pixels: multiply them by the image's width and height"
    return [Problem("error", "boxes of less than a pixel, whose numbers look like shares of the photo", where, advice)]


def _repeated(ids: Iterable[Any]) -> list[Any]:
    """Those that occur twice or more, each once."""
    seen, repeated = set(), dict[Any, None]()
    for each in ids:
        if each in seen:
            repeated[each] = None
        seen.add(each)
    return list(repeated)
