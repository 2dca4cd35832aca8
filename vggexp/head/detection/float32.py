"""torchvision's predictors with float32 outputs: in bfloat16 a coordinate of 200 pixels has steps of one pixel."""

from torch import Tensor, nn
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.models.detection.fcos import FCOSHead
from torchvision.models.detection.mask_rcnn import MaskRCNNPredictor
from torchvision.models.detection.rpn import RPNHead
from torchvision.models.detection.ssd import SSDHead


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


class MaskPredictor(MaskRCNNPredictor):  # type: ignore[misc]
    """MaskRCNNPredictor: (R, channels, m, m) to mask logits (R, C + 1, 2 m, 2 m)."""

    def forward(self, x: Tensor) -> Tensor:
        """As MaskRCNNPredictor."""
        logits: Tensor = super().forward(x)
        return logits.float()


class SSDOutputs(SSDHead):  # type: ignore[misc]
    """SSDHead: maps to ``cls_logits`` (N, A, C + 1) and ``bbox_regression`` (N, A, 4)."""

    def forward(self, x: list[Tensor]) -> dict[str, Tensor]:
        """As SSDHead."""
        return {name: value.float() for name, value in super().forward(x).items()}


FIRST_DISTANCE = 4.0
"""What FCOS says of every edge before it has learned, in cells: half of the largest distance that a map is for."""


class FCOSOutputs(FCOSHead):  # type: ignore[misc]
    """FCOSHead: maps to ``cls_logits`` (N, A, C), ``bbox_regression`` (N, A, 4) and ``bbox_ctrness`` (N, A, 1).

    Its distances to the four edges go through a ReLU. torchvision starts them around 0, so that half of them have no
    gradient; an edge whose distance is negative at every place with an object then never learns. Here they start above.
    """

    def __init__(self, channels: int, anchors: int, classes: int, convolutions: int) -> None:
        super().__init__(channels, anchors, classes, convolutions)
        nn.init.constant_(self.regression_head.bbox_reg.bias, FIRST_DISTANCE)

    def forward(self, x: list[Tensor]) -> dict[str, Tensor]:
        """As FCOSHead."""
        return {name: value.float() for name, value in super().forward(x).items()}
