"""torchvision's predictors with float32 outputs: in bfloat16 a coordinate of 200 pixels has steps of one pixel."""

from torch import Tensor
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.models.detection.rpn import RPNHead


class Proposer(RPNHead):  # type: ignore[misc]
    """RPNHead: feature maps to objectness and box deltas of each anchor, a list of each."""

    def forward(self, x: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """As RPNHead."""
        scores, deltas = super().forward(x)
        return [one.float() for one in scores], [one.float() for one in deltas]


class Predictor(FastRCNNPredictor):  # type: ignore[misc]
    """FastRCNNPredictor: (R, units) to class logits (R, C + 1) and box deltas (R, 4 * (C + 1))."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """As FastRCNNPredictor."""
        logits, deltas = super().forward(x)
        return logits.float(), deltas.float()
