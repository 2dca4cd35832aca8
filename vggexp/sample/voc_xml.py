"""Boxes of PASCAL VOC's annotation files, whose pixels count from 1 and include the last."""

from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from xml.etree import ElementTree

import torch
from torch import Tensor

from vggexp.errors import DataError
from vggexp.sample.orientation import UPRIGHT, turn_edges, turned_size
from vggexp.sample.picture import Header, Size
from vggexp.sample.xml_file import read_root

Edges = tuple[float, float, float, float]
"""left, top, right, bottom, in pixels, from 0 to the image's width and height."""
SIDES = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class Annotation:
    """The part of an annotation file that is used."""

    path: Path
    box: Edges
    """The largest box."""
    size: Size | None
    """(height, width) that the file gives for its image; None if it gives none."""


def read_annotation(path: Path) -> Annotation | None:
    """An annotation with its largest box; None if it has no object. XML namespaces are ignored.

    Raises:
        DataError: the file cannot be read, or is no annotation, or has an object whose box cannot be used.
    """
    try:
        root = read_root(path)
        if (tag := root.tag.rpartition("}")[2]) != "annotation":
            raise ValueError(f"its outermost element is <{tag}>, not <annotation>")
        objects = root.findall("{*}object")
        boxes = [_box(found, path) for found in objects]
        height, width = (_whole(root.findtext(f"{{*}}size/{{*}}{side}") or "0") for side in ("height", "width"))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    except ValueError as error:
        raise DataError(
            f"{path} is no VOC annotation ({error}); restore it, or delete it to go without its box"
        ) from error
    if not boxes:
        return None
    largest = max(boxes, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
    return Annotation(path, largest, (height, width) if height and width else None)


def _whole(text: str) -> int:
    """A side's pixels; ValueError if the text is no finite number."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"a side of {text.strip()} pixels")
    return int(number)


def _box(found: ElementTree.Element, path: Path) -> Edges:
    box = found.find("{*}bndbox")
    if box is None:
        others = ", ".join(sorted(child.tag.rpartition("}")[2] for child in found))
        raise DataError(f"{path} has an object without <bndbox> (it has {others}); give it an upright box")
    left, top, right, bottom = (float(box.findtext(f"{{*}}{side}") or "") for side in SIDES)
    if not (left < right and top < bottom):
        raise DataError(f"{path} has a box without area; correct it, or delete the file to go without its box")
    if right <= 1 and bottom <= 1:
        raise DataError(
            f"{path} has a box of less than a pixel, ({left:g}, {top:g}) to ({right:g}, {bottom:g}); VOC boxes count "
            "pixels, and these numbers look like shares of the image: multiply them by its width and height"
        )
    return left - 1, top - 1, right, bottom


def place(annotation: Annotation, photo: Header) -> Tensor:
    """The part of an annotation's box that is in its upright photo, whole: annotators overshoot by a few pixels.

    The box counts upright or stored pixels; the size that the file gives tells which.

    Raises:
        DataError: that size is not the photo's, or does not tell, or nothing of the box is in the photo.
    """
    path, upright = annotation.path, photo.size
    edges, stored = torch.tensor(annotation.box), turned_size(upright, photo.orientation)
    size = annotation.size or (upright if photo.orientation == UPRIGHT else None)
    if size not in (upright, stored):
        given = "no size" if size is None else f"an image of {size[1]} x {size[0]} pixels"
        raise DataError(
            f"{path} gives {given}, and its image has {upright[1]} x {upright[0]}; correct the boxes and <size>"
        )
    if photo.orientation != UPRIGHT:
        if upright == stored:
            raise DataError(
                f"{path}: its image is turned by EXIF (orientation {photo.orientation}), and the size does not tell "
                "whether the boxes count upright or stored pixels; save the image upright"
            )
        edges = turn_edges(edges, stored, photo.orientation) if size == stored else edges
    height, width = upright
    edges = edges.clamp(min=0).minimum(torch.tensor([width, height, width, height]))
    if not (edges[:2] < edges[2:]).all():
        raise DataError(
            f"{path} has a box outside its image of {width} x {height} pixels; correct it, or delete the file"
        )
    return edges
