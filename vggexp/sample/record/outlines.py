"""Paints outlines of objects into a mask of classes."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vggexp.errors import ConfigError, DataError, first_line
from vggexp.sample.record.problem import Problem
from vggexp.sample.record.record import Edges, Object, Record, Shape, Size


def painted(record: Record, label_of: Mapping[str, int], size: Size) -> NDArray[np.uint8]:
    """The classes of a photo's objects, uint8 (H, W): 0 where there is none; a smaller object hides a larger one.

    Args:
        label_of: by class, its mask label, from 1; objects of other classes leave no trace.
        size: the grid that the outlines count.

    Raises:
        DataError: an outline that cannot be read.
    """
    mask = np.zeros(size, np.uint8)
    areas = [(outline_mask(found.shape, record, size), label_of[found.label])
             for found in record.objects or () if found.label in label_of and found.shape is not None]  # fmt: skip
    for area, label in sorted(areas, key=lambda pair: -int(pair[0].sum())):
        mask[area] = label
    return mask


def outline_mask(shape: Shape, record: Record, size: Size) -> NDArray[np.bool_]:
    """Which pixels an outline covers, bool (H, W), by the rule of COCO's own tools.

    Raises:
        DataError: it is of another size, or no outline.
        ConfigError: pycocotools is not installed.
    """
    coder = _coder()
    code = _packed_code(coder, shape, record, size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pycocotools 2.0.11's arrays on NumPy 2
        return np.asarray(coder.decode(code), bool)


def outline_part(shape: Shape, record: Record, size: Size) -> tuple[int, int, NDArray[np.bool_]]:
    """The part of ``outline_mask`` that has the pixels, with its top and its left.

    A small object on a large photo takes no longer than on a small one.
    """
    coder = _coder()
    code = _packed_code(coder, shape, record, size)
    left, top, columns, rows = (int(side) for side in coder.toBbox(code))
    ends = np.cumsum(_counts(code["counts"]))
    first, last = left * size[0], (left + columns) * size[0]
    lengths = np.diff(ends.clip(first, last), prepend=first)
    flat = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    return top, left, flat.reshape(columns, size[0]).T[top : top + rows]


def _counts(code: str | bytes) -> list[int]:
    """The run lengths of pycocotools's code.

    A character has five bits of a number, the last one of it a sign; from the fourth number on, each is a difference
    from the one before the last.
    """
    found, number, shift = list[int](), 0, 0
    for character in code.encode() if isinstance(code, str) else code:
        bits = character - 48
        number |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            number -= (bits & 16 != 0) << shift
            found.append(number + (found[-2] if len(found) > 2 else 0))
            number = shift = 0
    return found


def _packed_code(coder: Any, shape: Shape, record: Record, size: Size) -> Any:
    """An outline as pycocotools packs run lengths; DataError if it is none of this size."""
    height, width = size
    try:
        if isinstance(shape, Mapping):
            if tuple(shape["size"]) != size:
                raise ValueError(f"its run lengths are of {shape['size'][1]} x {shape['size'][0]} pixels")
            code = _code(coder, shape)
        else:
            scale = np.array([width, height]) if record.unit == "share" else np.ones(2)
            polygons = [(np.reshape(polygon, (-1, 2)) * scale).ravel().tolist() for polygon in shape]
            code = coder.merge(coder.frPyObjects(polygons, height, width))
        coder.area(code)
        return code
    except Exception as error:  # for odd input pycocotools raises nearly any exception
        where = record.annotation or record.name
        raise DataError(f"{where} has an outline that cannot be read ({first_line(error)}); correct it") from error


def outline_extent(shape: Shape) -> Edges | None:
    """The box (left, top, right, bottom) that encloses an outline; None of run lengths that cannot be read."""
    if not isinstance(shape, Mapping):
        return polygon_extent(shape)
    coder = _coder()
    try:
        left, top, width, height = map(float, coder.toBbox(_code(coder, shape)))
    except Exception:  # for odd input pycocotools raises nearly any exception; ``outline_mask`` reports it
        return None
    return left, top, left + width, top + height


def polygon_extent(polygons: Sequence[Sequence[float]]) -> Edges:
    """The box (left, top, right, bottom) that encloses polygons."""
    columns, rows = ([f(p[start::2]) for p in polygons for f in (min, max)] for start in (0, 1))
    return min(columns), min(rows), max(columns), max(rows)


def _code(coder: Any, shape: Mapping[str, Any]) -> Any:
    """Run lengths as pycocotools packs them."""
    return shape if isinstance(shape["counts"], str | bytes) else coder.frPyObjects(shape, *shape["size"])


def has_outlines(record: Record, label_of: Mapping[str, int]) -> bool:
    """Whether a mask can be painted: objects were annotated, and all of the classes in use have an outline.

    With no class in use there is nothing to paint, so no photo has a mask.
    """
    if not label_of:
        return False
    return record.objects is not None and all(is_outline(found) for found in record.objects if found.label in label_of)


def without_outlines(records: Iterable[Record], label_of: Mapping[str, int]) -> list[Problem]:
    """A warning for each photo that is left out of masks although others of them are painted."""
    what = "photo with an object without an outline: left out of masks"
    return [Problem("warning", what, record.annotation or record.name)
            for record in records if label_of and record.objects and not has_outlines(record, label_of)]  # fmt: skip


def is_outline(found: Object) -> bool:
    """Whether an object has run lengths, or polygons of three points and more."""
    if isinstance(found.shape, Mapping):
        return {"size", "counts"} <= found.shape.keys()
    return bool(found.shape) and all(len(polygon) >= 6 and len(polygon) % 2 == 0 for polygon in found.shape or ())


def _coder() -> Any:
    if find_spec("pycocotools") is None:
        raise ConfigError("masks from outlines need pycocotools; install it: pip install 'vggexp[coco]'")
    from pycocotools import mask

    return mask
