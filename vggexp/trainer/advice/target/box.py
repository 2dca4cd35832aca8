"""The one box of an image."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vggexp.boxes import iou
from vggexp.trainer.advice.target.contract import Floats, Rows
from vggexp.transfer.score.probe import Examples, Probe, probe_boxes
from vggexp.types import Batch


class Box:
    """A row is the mean of an image's feature map over each of 2 x 2 fields, so that places are told apart."""

    metric = "box_iou"

    def rows(self, maps: tuple[Tensor, ...], batch: Batch) -> Rows:
        """(N, 4C), with the boxes (N, 4)."""
        pooled = [nn.functional.adaptive_avg_pool2d(one, 2).flatten(1) for one in maps]
        return Rows(pooled, batch["box"].double(), batch["index"])

    def probe(self, train: Examples, val: Examples) -> Probe:
        """The mean IoU of a ridge regression's boxes."""
        return probe_boxes(train, val)

    def columns(self, targets: NDArray[Any]) -> Floats:
        """The four coordinates."""
        return targets

    def scored(self, predicted: Floats, truth: NDArray[Any]) -> Floats:
        """The IoU."""
        scores: Floats = iou(torch.from_numpy(predicted), torch.from_numpy(truth)).numpy()
        return scores

    def classes(self, targets: NDArray[Any]) -> NDArray[np.int64] | None:
        """None: boxes have none."""
        return None

    def baseline(self, train: NDArray[Any], truth: NDArray[Any]) -> float:
        """The mean IoU of the mean training box."""
        mean = torch.from_numpy(train.mean(0)).expand(len(truth), 4)
        return float(iou(mean, torch.from_numpy(truth)).mean())
