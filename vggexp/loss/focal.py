"""Focal loss (Lin et al., arXiv 1708.02002): cross-entropy that gives well-classified examples less weight."""

from torch import Tensor, nn

from vggexp.loss.smp import apply, library_loss


class Focal(nn.Module):
    """(1 - p)^gamma times the cross-entropy, averaged over pixels and classes.

    As in the paper, each class is a sigmoid against the rest, without a softmax over the classes.

    Args:
        gamma: how fast the weight falls as p rises; 0 is plain binary cross-entropy.
        alpha: weight of a class's positives; its negatives have 1 - alpha. ``None`` weights both equally.
    """

    def __init__(self, gamma: float = 2.0, alpha: float | None = None):
        super().__init__()
        self.loss = library_loss("FocalLoss", "focal", gamma=gamma, alpha=alpha)
        # Each class of each image for itself: the library's mode "multilabel" fails beside ignore_index (smp 0.6).
        self.several = library_loss("FocalLoss", "focal", mode="binary", gamma=gamma, alpha=alpha)

    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Loss of logits (N, C) with labels (N,) or (N, C), or (N, C, H, W) with masks (N, H, W); VOID is ignored."""
        return apply(self.loss if target.ndim < outputs.ndim else self.several, outputs, target)
