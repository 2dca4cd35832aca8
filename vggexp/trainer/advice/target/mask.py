"""The class of each pixel."""

import torch
from torch import Tensor

from vggexp.trainer.advice.target.contract import Rows
from vggexp.trainer.advice.target.one_class import OneClass
from vggexp.types import VOID, Batch

CELLS = 8
"""Cells that are drawn from each image."""


class Mask(OneClass):
    """A row is one cell of the feature map; its class is that of the pixel at the cell's centre."""

    metric = "right cells"

    def rows(self, maps: tuple[Tensor, ...], batch: Batch) -> Rows:
        """(R, C), with the classes (R,), of ``CELLS`` cells an image less those without a class."""
        points = torch.stack([_points(int(index)) for index in batch["index"]])
        found = _at(batch["mask"].unsqueeze(1), points).squeeze(2)
        kept = found != VOID
        images = batch["index"].unsqueeze(1).expand_as(kept)[kept]
        return Rows([_at(one, points)[kept] for one in maps], found[kept].long(), images)


def _points(index: int) -> Tensor:
    """(CELLS, 2): random places (y, x) as shares of the image."""
    return torch.rand(CELLS, 2, generator=torch.Generator().manual_seed(index))


def _at(maps: Tensor, points: Tensor) -> Tensor:
    """The values (N, P, C) of maps (N, C, H, W) at points (N, P, 2), which are (y, x) as shares of the map."""
    size = torch.tensor(maps.shape[-2:])
    places = (points * size).long().minimum(size - 1)
    flat = (places[..., 0] * size[1] + places[..., 1]).unsqueeze(1).expand(-1, maps.shape[1], -1)
    return maps.flatten(2).gather(2, flat).transpose(1, 2)
