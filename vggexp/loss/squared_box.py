"""The squared loss of a box, as the lecture writes it; up to its factor the Euclidean loss of VGG's appendix A."""

from torch import Tensor, nn

from vggexp.boxes import Format


class SquaredBox(nn.Module):
    """1/(2N) times the sum over images and over the four coordinates of (y - y_hat)^2."""

    def forward(self, outputs: Tensor, target: Tensor, format: Format = "corner") -> Tensor:
        """Boxes (N, 4) against boxes (N, 4), both in ``format``, whose coordinates are compared as they are."""
        return (outputs.float() - target.float()).square().sum() / (2 * len(outputs))
