"""Lovasz-Softmax (Berman et al., arXiv 1705.08790): a surrogate of the mean IoU that has gradients."""

from torch import Tensor, nn

from vggexp.loss.smp import apply, library_loss


class Lovasz(nn.Module):
    """The Lovasz extension of 1 - IoU, averaged over the classes present in the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.loss = library_loss("LovaszLoss", "lovasz")

    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Loss of logits (N, C, H, W) with masks (N, H, W); VOID is ignored."""
        return apply(self.loss, outputs, target)
