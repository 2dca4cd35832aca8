"""Average precision of found objects, as COCO and VOC define it."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics.detection import MeanAveragePrecision

from vggexp.types import Batch, ObjectList, Prediction


class ObjectMetrics(MeanAveragePrecision):  # type: ignore[misc]
    """``map``, ``map_50`` and ``map_75``; with masks, ``segm_map`` and so on beside them.

    Args:
        classes: the class names, in the order of the labels.
        masks: whether masks are scored beside the boxes.
    """

    def __init__(self, classes: Sequence[str], masks: bool = False):
        super().__init__(iou_type=("bbox", "segm") if masks else "bbox")
        self.names, self.masks = tuple(classes), masks
        self.warn_on_many_detections = False

    def update(self, prediction: Prediction, batch: Batch) -> None:
        """Add a batch of ``objects``."""
        super().update(self._dicts(prediction["objects"]), self._dicts(batch["objects"]))

    def compute(self) -> dict[str, Tensor]:
        """Scores, 0 to 1; NaN if there was no object."""
        found = super().compute()
        kinds = {"bbox_": "", "segm_": "segm_"} if self.masks else {"": ""}
        scores = {
            f"{ours}{name}": found[f"{theirs}{name}"].float()
            for theirs, ours in kinds.items()
            for name in ("map", "map_50", "map_75")
        }
        return {name: torch.where(value < 0, torch.nan, value) for name, value in scores.items()}

    def _dicts(self, objects: ObjectList) -> list[dict[str, Tensor]]:
        found = []
        for one in objects:
            own = {"boxes": one.boxes.float(), "labels": one.labels}
            if one.scores is not None:
                own["scores"] = one.scores
            if self.masks and one.masks is not None:
                own["masks"] = one.masks.bool()
            found.append(own)
        return found
