"""Boxes of PASCAL VOC's annotation files, whose pixels count from 1 and include the last."""

from pathlib import Path
from xml.etree import ElementTree

import torch
from torch import Tensor

from vggexp.errors import DataError
from vggexp.sample.image import Size

Edges = tuple[float, float, float, float]
"""left, top, right, bottom, in pixels, from 0 to the image's width and height."""


def largest_box(path: Path) -> Edges | None:
    """The largest box of an annotation; None if it has none.

    Raises:
        DataError: the file cannot be read, or is no annotation, or has a box without area.
    """
    try:
        found = ElementTree.parse(path).findall("object/bndbox")
        boxes = [[float(box.findtext(side, "")) for side in ("xmin", "ymin", "xmax", "ymax")] for box in found]
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    except (ElementTree.ParseError, ValueError) as error:
        raise DataError(
            f"{path} is no VOC annotation ({error}); restore it, or delete it to go without its box"
        ) from error
    for left, top, right, bottom in boxes:
        if not (left < right and top < bottom):
            raise DataError(f"{path} has a box without area; correct it, or delete the file to go without its box")
    edges = [(left - 1, top - 1, right, bottom) for left, top, right, bottom in boxes]
    return max(edges, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]), default=None)


def clipped(box: Edges, size: Size, path: Path) -> Tensor:
    """The part of a box that is in an image of (height, width): annotators overshoot by a few pixels.

    Raises:
        DataError: nothing of it is; ``path`` is the annotation.
    """
    height, width = size
    edges = torch.tensor(box).clamp(min=0).minimum(torch.tensor([width, height, width, height]))
    if not (edges[:2] < edges[2:]).all():
        raise DataError(
            f"{path} has a box outside its image of {width} x {height} pixels; correct it, or delete the file"
        )
    return edges
