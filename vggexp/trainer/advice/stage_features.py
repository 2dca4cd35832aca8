"""The features of every stage for the images of a split, as a probe reads them, with their targets."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vggexp.learner.learner import Learner
from vggexp.trainer.advice.target.contract import Floats, Rows, Target
from vggexp.transfer.score.probe import Examples
from vggexp.types import Batch, Features

Classifier = Callable[[Features], Tensor]
"""A source's own head: features to the probabilities of its classes, (N, Z)."""


@dataclass(frozen=True)
class StageFeatures:
    """One split, seen by one backbone, for one target."""

    stages: tuple[Floats, ...]
    """By stage: (R, D), a row for each target."""
    targets: NDArray[np.generic]
    """(R,) or (R, K)."""
    images: NDArray[np.int64]
    """(R,): the index of the image that each row comes from."""
    probabilities: Floats | None
    """(N, Z): of the source's own classes; None if it was not asked for them."""

    def examples(self, stage: int) -> Examples:
        """What a probe of this stage reads; stages count from 1."""
        return Examples(self.stages[stage - 1], self.targets, self.images)


@torch.inference_mode()
def stage_features(
    learner: Learner,
    batches: Iterable[Batch],
    targets: Mapping[str, Target],
    images: int,
    classifier: Classifier | None = None,
) -> dict[str, StageFeatures]:
    """One pass over the first images that a loader gives, in evaluation mode and float32; the result is by target.

    Args:
        targets: what is to be predicted, by key of a batch.
        images: the most images to read.
        classifier: the source's own head, if its classes are wanted, too.
    """
    backbone = learner.backbone
    assert isinstance(backbone, nn.Module)
    backbone.eval()
    found: dict[str, list[Rows]] = {name: [] for name in targets}
    guesses: list[Tensor] = []
    seen = 0
    for batch in batches:
        features = learner.backbone(learner.backbone.normalize(batch["image"]))
        for name, target in targets.items():
            found[name].append(target.rows(features.stages, batch))
        if classifier is not None:
            guesses.append(classifier(features))
        seen += len(batch["image"])
        if seen >= images:
            break
    probabilities = torch.cat(guesses).double().numpy() if guesses else None
    return {name: _joined(rows, probabilities) for name, rows in found.items()}


def _joined(batches: list[Rows], probabilities: Floats | None) -> StageFeatures:
    stages = zip(*(rows.stages for rows in batches), strict=True)
    return StageFeatures(
        tuple(torch.cat(stage).double().numpy() for stage in stages),
        torch.cat([rows.targets for rows in batches]).numpy(),
        torch.cat([rows.images for rows in batches]).numpy(),
        probabilities,
    )
