"""The squared loss of a box, as in the lecture; up to a factor the Euclidean loss of VGG's appendix A."""

from torch import Tensor, nn

from vggexp.boxes import Format


class SquaredBox(nn.Module):
    """1/(2N) times the sum over images and over the four coordinates of (y - y_hat)^2."""

    def forward(self, outputs: Tensor, target: Tensor, format: Format = "corner") -> Tensor:
        """Boxes (N, 4) against boxes (N, 4), both in ``format``, compared coordinate by coordinate."""
        return (outputs.float() - target.float()).square().sum() / (2 * len(outputs))
