"""Generalized IoU (Rezatofighi et al., arXiv 1902.09630): an overlap loss, with gradients for disjoint boxes too."""

from torch import Tensor, nn
from torchvision.ops import generalized_box_iou_loss

from vggexp.boxes import Format, to_edges


class GIoU(nn.Module):
    """1 - GIoU, averaged over images: 0 for equal boxes, near 2 for small boxes far apart."""

    def forward(self, outputs: Tensor, target: Tensor, format: Format = "corner") -> Tensor:
        """Boxes (N, 4) against boxes (N, 4), both in ``format``."""
        edges, truth = to_edges(outputs.float(), format), to_edges(target.float(), format)
        loss: Tensor = generalized_box_iou_loss(edges, truth, reduction="mean")
        return loss
