"""Soft Dice loss (V-Net, Milletari et al., arXiv 1606.04797): the overlap of each class, over the whole batch."""

from torch import Tensor, nn

from vggexp.loss.smp import apply, library_loss


class Dice(nn.Module):
    """1 - soft Dice, averaged over all C classes.

    A class without a labelled pixel in the batch adds 0 to the mean, so a batch with few classes has a small loss.

    Args:
        smooth: added to numerator and denominator.
        log: minimise -log(Dice) instead of 1 - Dice.
    """

    def __init__(self, smooth: float = 0.0, log: bool = False):
        super().__init__()
        self.loss = library_loss("DiceLoss", "dice", smooth=smooth, log_loss=log)

    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Loss of logits (N, C, H, W) with masks (N, H, W); VOID is ignored."""
        return apply(self.loss, outputs, target)
