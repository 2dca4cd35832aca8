"""Encodes the objects of an image, any number of them, as one compressed row of bytes for the caches."""

import zlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from vggexp.sample.planes import Planes
from vggexp.types import Objects

LEVEL = 1
"""zlib's fastest level: planes are mostly zeros, and shrink to about a hundredth even so."""


def encode(objects: Objects, planes: Planes | None) -> Tensor:
    """uint8, (n,). Masks are in the planes."""
    shape = (0, 0, 0) if planes is None else tuple(planes.pixels.shape)
    parts: list[Tensor | None] = [objects.boxes.float(), objects.labels, objects.crowd, objects.difficult]
    parts += [None] * 3 if planes is None else [planes.plane, planes.number, planes.pixels]
    head = torch.tensor([len(objects), *shape, *(part is not None for part in parts)], dtype=torch.int64)
    content = b"".join(part.contiguous().numpy().tobytes() for part in (head, *parts) if part is not None)
    return torch.from_numpy(np.frombuffer(zlib.compress(content, LEVEL), np.uint8).copy())


def decode(code: Tensor) -> tuple[Objects, Planes | None]:
    """The input of ``encode``, bit-identical."""
    content, start = zlib.decompress(code.numpy().tobytes()), 11 * 8
    count, *shape = np.frombuffer(content, np.int64, 4).tolist()
    given = np.frombuffer(content, np.int64, 7, 4 * 8).tolist()
    layout = [((count, 4), np.float32), ((count,), np.int64), ((count,), np.bool_), ((count,), np.bool_),
              ((count,), np.int64), ((count,), np.int64), (tuple(shape), np.uint8)]  # fmt: skip

    def parts() -> Iterator[Tensor | None]:
        place = start
        for (sides, kind), there in zip(layout, given, strict=True):
            length = int(np.prod(sides)) if there else 0
            values = np.frombuffer(content, kind, length, place).reshape(sides).copy() if there else None
            place += length * np.dtype(kind).itemsize
            yield None if values is None else torch.from_numpy(values)

    boxes, labels, crowd, difficult, plane, number, pixels = parts()
    assert boxes is not None
    assert labels is not None
    objects = Objects(boxes, labels, None, crowd, difficult)
    if plane is None or number is None or pixels is None:
        return objects, None
    return objects, Planes(pixels, plane, number)
