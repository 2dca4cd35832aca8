"""One annotation file of VOC's layout: its objects, and the size that it gives for its photo.

Pets' reader (``sample.voc_xml``) takes the largest box of VOC's own kit; here all objects of any exporter are read, and
what is wrong is collected, so that a folder's problems are told together.
"""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from vggexp.errors import first_line
from vggexp.sample.record.objects import looks_like_shares
from vggexp.sample.record.outlines import polygon_extent
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Object, Size
from vggexp.sample.xml_file import read_root

Polygons = tuple[tuple[float, ...], ...]

SIDES = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class VocFile:
    """What is used of an annotation file."""

    objects: tuple[Object, ...] = ()
    size: Size | None = None
    problems: tuple[Problem, ...] = ()


class _ObjectError(Exception):
    """An object that cannot be read: what is wrong, and the remedy."""


def read_voc_file(path: Path, where: str, first_pixel: int) -> VocFile:
    """The objects of an annotation file, boxes as edges from 0, and what is wrong with it. XML namespaces are ignored.

    Args:
        where: what the file is called in messages.
        first_pixel: 0: coordinates are edges from 0; 1: they number pixels from 1, the last one included.
    """
    try:
        root = read_root(path)
    except OSError as error:
        return _refused("annotation that cannot be read", f"{where} ({error.strerror})", "check its permissions")
    except ValueError as error:
        advice = "restore the file, or delete it to go without its objects"
        return _refused("annotation that is no sound XML", f"{where} ({first_line(error)})", advice)
    if (tag := root.tag.rpartition("}")[2]) != "annotation":
        what = "XML file whose root is not <annotation>, so no annotation of VOC's layout"
        return _refused(what, f"{where} (<{tag}>)", "take it out of the folder")
    objects, problems = [], []
    for number, found in enumerate(root.findall("{*}object"), 1):
        try:
            read, odd = _object(found, first_pixel)
            objects.append(read)
            problems += [Problem("warning", odd, f"{where}, object {number}")] if odd else []
        except _ObjectError as error:
            what, advice = error.args
            problems.append(Problem("error", what, f"{where}, object {number}", advice))
    if first_pixel and any(min(found.box[:2]) == -first_pixel for found in objects):
        advice = "coordinates that begin at 0 are read with data.first_pixel=0"
        problems.append(Problem("warning", "box that begins at pixel 0, and data.first_pixel=1", where, advice))
    return VocFile(tuple(objects), _size(root), tuple(problems))


def _refused(what: str, where: str, advice: str) -> VocFile:
    return VocFile(problems=(Problem("error", what, where, advice),))


def _object(found: ElementTree.Element, first_pixel: int) -> tuple[Object, str]:
    """An object, and what is odd about its outline."""
    own = _children(found)
    name = _text(own, "name")
    if not name:
        raise _ObjectError("object without a <name>", "name its class")
    shape, odd = _outline(own["polygon"], first_pixel) if "polygon" in own else (None, "")
    difficult = _text(own, "difficult").lower() in ("1", "true")
    if shape is not None and "bndbox" not in own:
        return Object(name, polygon_extent(shape), shape, difficult=difficult), odd
    if "bndbox" not in own:
        turned = "a turned box" if "robndbox" in own else f"it has {', '.join(sorted(own))}"
        raise _ObjectError(f"object without <bndbox> ({turned})", "give it an upright box, <bndbox>")
    try:
        sides = _children(own["bndbox"])
        left, top, right, bottom = (float(_text(sides, side)) for side in SIDES)
    except ValueError:
        raise _ObjectError(f"box whose {', '.join(SIDES)} are not four numbers", "correct them") from None
    if looks_like_shares((left, top, right, bottom)):
        advice = "VOC counts pixels: multiply them by the photo's width and height"
        raise _ObjectError("box of less than a pixel, whose numbers look like shares of the photo", advice)
    return Object(name, (left - first_pixel, top - first_pixel, right, bottom), shape, difficult=difficult), odd


def _outline(polygon: ElementTree.Element, first_pixel: int) -> tuple[Polygons | None, str]:
    """The points x1, y1, x2, y2 ... of an outline, or x and y of its points in turn; and what is odd about it."""
    try:
        found = [(each.tag.rpartition("}")[2], float(each.text or "")) for each in polygon.iter()
                 if not len(each) and each.tag.rpartition("}")[2][:1] in ("x", "y")]  # fmt: skip
    except ValueError:
        return None, "polygon whose points are not numbers: skipped"
    points = [value - first_pixel for _, value in found]
    in_turn = all(tag.startswith("xy"[place % 2]) for place, (tag, _) in enumerate(found))
    if len(points) < 6 or len(points) % 2 or not in_turn:
        return None, "polygon that is not three points or more: skipped"
    return (tuple(points),), ""


def _children(parent: ElementTree.Element) -> dict[str, ElementTree.Element]:
    """The first child of each name; faster than a ``find("{*}name")`` for each, and files have many objects."""
    return {child.tag.rpartition("}")[2]: child for child in reversed(parent)}


def _text(children: dict[str, ElementTree.Element], name: str) -> str:
    return (children[name].text or "").strip() if name in children else ""


def _size(root: ElementTree.Element) -> Size | None:
    """(height, width); None where the file gives none, or zeros, as some exporters do."""
    try:
        height, width = (int(float(root.findtext(f"{{*}}size/{{*}}{side}") or 0)) for side in ("height", "width"))
    except (ValueError, OverflowError):
        return None
    return (height, width) if height > 0 and width > 0 else None
