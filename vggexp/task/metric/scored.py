"""One image's objects, true and predicted, small enough to keep for a whole split: masks are runs of pixels.

Overlaps and runs are COCO's (Lin et al. 2014), computed by faster-coco-eval, which also averages the precisions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vggexp.errors import ConfigError, DivergedError
from vggexp.types import Batch, Objects, Prediction

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Runs = dict[str, Any]
"""A mask as COCO's compressed run lengths: ``size``, (H, W), and ``counts``, bytes."""


@dataclass(frozen=True)
class Scored:
    """The objects of one image on the CPU, with masks as runs."""

    index: int
    """The image's place in its split."""
    truth: Objects
    predicted: Objects
    """With scores in descending order."""
    truth_runs: tuple[Runs, ...] | None = None
    predicted_runs: tuple[Runs, ...] | None = None

    def overlaps(self, regions: Tensor) -> Floats:
        """IoU of each predicted object with each true one, (P, T): of the masks if there are any, else of the boxes.

        Args:
            regions: (T,), bool: objects that are regions. Of these, the share of the prediction that lies inside.
        """
        shape = (len(self.predicted), len(self.truth))
        if 0 in shape:
            return np.zeros(shape)
        if self.truth_runs is None or self.predicted_runs is None:
            pair: tuple[Any, Any] = (corner_sizes(self.predicted.boxes), corner_sizes(self.truth.boxes))
        else:
            pair = (list(self.predicted_runs), list(self.truth_runs))
        found = backend().mask.iou(*pair, regions.int().tolist())
        return np.nan_to_num(np.asarray(found, dtype=np.float64)).reshape(shape)


def scored(prediction: Prediction, batch: Batch, masks: bool) -> list[Scored]:
    """The images of a batch.

    Raises:
        DivergedError: a predicted number is not finite.
    """
    triples = zip(batch["index"].tolist(), batch["objects"], prediction["objects"], strict=True)
    return [of_image(index, truth, predicted, masks) for index, truth, predicted in triples]


def of_image(index: int, truth: Objects, predicted: Objects, masks: bool) -> Scored:
    """One image; DivergedError as above."""
    truth, predicted = truth.to("cpu"), best_first(predicted.to("cpu"))
    _check_finite(index, predicted)
    pair = [runs(one) if masks else None for one in (truth, predicted)]
    return Scored(index, replace(truth, masks=None), replace(predicted, masks=None), *pair)


def best_first(objects: Objects) -> Objects:
    """The objects by score, the highest first; equal ones keep their order."""
    assert objects.scores is not None, "predicted objects have scores"
    order = objects.scores.argsort(descending=True, stable=True)
    return objects[order]


def runs(objects: Objects) -> tuple[Runs, ...]:
    """The masks as runs, one at a time: many masks of a large image are not copied at once."""
    assert objects.masks is not None, "the objects have no masks"
    encode = backend().mask.encode
    return tuple(encode(np.asfortranarray(mask.numpy().astype(np.uint8)[..., None]))[0] for mask in objects.masks)


def corner_sizes(boxes: Tensor) -> Floats:
    """(K, 4) edges to COCO's (left, top, width, height), float64."""
    edges = boxes.double().numpy()
    return np.concatenate((edges[:, :2], edges[:, 2:] - edges[:, :2]), 1)


def backend() -> Any:
    """The package faster_coco_eval.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import faster_coco_eval
    except ImportError:
        raise ConfigError(
            "scores of objects need faster-coco-eval; install it: pip install 'vggexp[detection]'"
        ) from None
    return faster_coco_eval


def flag(values: Tensor | None, count: int) -> Tensor:
    """An optional flag of objects as (K,), bool: None is false for all."""
    return torch.zeros(count, dtype=torch.bool) if values is None else values.bool()


def in_order(images: Sequence[Scored]) -> list[Scored]:
    """The images in the split's order, on which equal scores depend."""
    return sorted(images, key=lambda image: image.index)


def _check_finite(index: int, predicted: Objects) -> None:
    assert predicted.scores is not None
    for what, values in (("box", predicted.boxes), ("score", predicted.scores)):
        if not bool(torch.isfinite(values).all()):
            raise DivergedError(
                f"a predicted {what} of image {index} is not finite, so nothing can be scored; the weights may have "
                "diverged: lower optimizer.lr or clip with trainer.clip=1"
            )
