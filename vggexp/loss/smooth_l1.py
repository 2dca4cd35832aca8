"""Smooth L1, the box loss of Fast R-CNN (arXiv 1504.08083, equation 3): squared near the target, linear far from it."""

from torch import Tensor, nn
from torch.nn import functional

from vggexp.boxes import Format
from vggexp.errors import ConfigError


class SmoothL1(nn.Module):
    """Mean over images of the sum over coordinates.

    Args:
        beta: error, as a share of the image, at which the loss changes from squared to linear. Coordinates lie in 0 to
            1, so with the paper's beta = 1 the loss would never be linear.
    """

    def __init__(self, beta: float = 0.1):
        super().__init__()
        if beta < 0:
            raise ConfigError(f"loss.beta is {beta}; it cannot be negative")
        self.beta = beta

    def forward(self, outputs: Tensor, target: Tensor, format: Format = "corner") -> Tensor:
        """Boxes (N, 4) against boxes (N, 4), both in ``format``, compared coordinate by coordinate."""
        return functional.smooth_l1_loss(outputs.float(), target.float(), reduction="sum", beta=self.beta) / len(
            outputs
        )
