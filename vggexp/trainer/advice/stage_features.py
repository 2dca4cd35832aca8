"""The pooled features of every stage for the images of a split, with their targets."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vggexp.learner.learner import Learner
from vggexp.types import VOID, Batch, Features

CELLS = 8
"""Cells that are drawn from each image for a segmentation's probe."""
Floats = NDArray[np.float64]
Classifier = Callable[[Features], Tensor]
"""A source's own head: features to the probabilities of its classes, (N, Z)."""


@dataclass(frozen=True)
class StageFeatures:
    """One split, seen by one backbone."""

    stages: tuple[Floats, ...]
    """By stage: (N, D)."""
    targets: NDArray[np.generic]
    """(N,) labels, or (N, 4) boxes."""
    probabilities: Floats | None = None
    """(N, Z): of the source's own classes; None if it was not asked for them."""


@torch.inference_mode()
def stage_features(
    learner: Learner, batches: Iterable[Batch], target: str, images: int, classifier: Classifier | None = None
) -> StageFeatures:
    """One pass over the first images that a loader gives, in evaluation mode and float32.

    Labels are compared with the mean over the feature map, boxes with its means over 2 x 2 fields, masks with the
    features of a few cells of each image, whose class is that of the pixel at the cell's centre.

    Args:
        target: "label", "box" or "mask".
        images: the most images to read.
        classifier: the source's own head, if its classes are wanted, too.
    """
    backbone = learner.backbone
    assert isinstance(backbone, nn.Module)
    backbone.eval()
    columns: list[list[Tensor]] = []
    targets: list[Tensor] = []
    guesses: list[Tensor] = []
    seen = 0
    for batch in batches:
        features = learner.backbone(learner.backbone.normalize(batch["image"]))
        rows, truth = _rows(features.stages, batch, target)
        if classifier is not None:
            guesses.append(classifier(features))
        columns.append(rows)
        targets.append(truth)
        seen += len(batch["image"])
        if seen >= images:
            break
    stages = tuple(torch.cat(column).double().numpy() for column in zip(*columns, strict=True))
    probabilities = torch.cat(guesses).double().numpy() if guesses else None
    return StageFeatures(stages, torch.cat(targets).numpy(), probabilities)


def _rows(maps: tuple[Tensor, ...], batch: Batch, target: str) -> tuple[list[Tensor], Tensor]:
    """A batch's rows of every stage, and their targets."""
    if target == "mask":
        return _cells(maps, batch["mask"], batch["index"])
    if target == "box":
        return [nn.functional.adaptive_avg_pool2d(one, 2).flatten(1) for one in maps], batch["box"].double()
    return [one.mean((2, 3)) for one in maps], batch["label"]


def _cells(maps: tuple[Tensor, ...], masks: Tensor, index: Tensor) -> tuple[list[Tensor], Tensor]:
    """Rows of cells that are drawn anew for each image, from its index alone: the same for every source."""
    points = torch.stack([torch.rand(CELLS, 2, generator=torch.Generator().manual_seed(int(one))) for one in index])
    found = _at(masks.unsqueeze(1), points).squeeze(2)
    kept = found != VOID
    return [_at(one, points)[kept] for one in maps], found[kept].long()


def _at(maps: Tensor, points: Tensor) -> Tensor:
    """The values (N, P, C) of maps (N, C, H, W) at points (N, P, 2), which are (y, x) as shares of the map."""
    size = torch.tensor(maps.shape[-2:])
    places = (points * size).long().minimum(size - 1)
    flat = (places[..., 0] * size[1] + places[..., 1]).unsqueeze(1).expand(-1, maps.shape[1], -1)
    return maps.flatten(2).gather(2, flat).transpose(1, 2)
