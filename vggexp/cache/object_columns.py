"""The objects of a split as columns of numbers, for the feature cache on disk: any number an image, masks too."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from vggexp.sample.object_code import decode, encode
from vggexp.sample.planes import Planes
from vggexp.types import ObjectList, Objects

Columns = Mapping[str, Any]
"""Tensors, and ``objects``, an ``ObjectList``."""
_ENDS = "object_ends"


def size_of(value: Any) -> int:
    """Bytes of a sample's value: a number, a tensor or its objects."""
    if isinstance(value, Objects):
        parts = (getattr(value, one.name) for one in fields(value))
        return sum(part.nbytes for part in parts if part is not None)
    return torch.as_tensor(value).nbytes


def packed(columns: Columns) -> dict[str, Tensor]:
    """The columns with the objects' codes end to end in ``objects``, and in ``object_ends`` where each image's end."""
    if not isinstance(columns.get("objects"), ObjectList):
        return dict(columns)
    codes = [_encoded(one) for one in columns["objects"]]
    ends = torch.tensor([len(code) for code in codes]).cumsum(0)
    return {**columns, "objects": torch.cat(codes), _ENDS: ends}


def unpacked(columns: Mapping[str, Tensor]) -> dict[str, Any]:
    """What ``packed`` was given."""
    if _ENDS not in columns:
        return dict(columns)
    ends = columns[_ENDS].tolist()
    codes = [columns["objects"][start:end] for start, end in zip([0, *ends], ends, strict=False)]
    others = {name: column for name, column in columns.items() if name != _ENDS}
    return {**others, "objects": ObjectList(_decoded(code) for code in codes)}


def _encoded(objects: Objects) -> Tensor:
    """Each mask is a plane of its own."""
    if objects.masks is None:
        return encode(objects, None)
    own = torch.arange(len(objects))
    return encode(objects, Planes(objects.masks, own, torch.ones_like(own)))


def _decoded(code: Tensor) -> Objects:
    objects, planes = decode(code)
    return objects if planes is None else replace(objects, masks=planes.pixels)
