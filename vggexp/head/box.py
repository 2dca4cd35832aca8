"""One box per image: dense layers that end in four sigmoid units.

The layers are OverFeat's regressor, 4096-1024-4 (Sermanet et al., arXiv 1312.6229, 4.1); one box for all classes
is what VGG calls single-class regression (arXiv 1409.1556, appendix A). Neither paper has the sigmoid: it keeps the
coordinates, which are shares of the image, within 0..1.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from vggexp.head.mlp import slide
from vggexp.types import Features, HeadSpec


class Box(nn.Module):
    """Features to boxes (N, 4): (x, y, h, w) as shares of the image, 0 to 1.

    Args:
        spec: the backbone's channels; the classes are not used.
        hidden: units of each hidden layer, first to last.
        pool: size of the grid (pool x pool) to which the last stage is averaged.
        dropout: probability, after each hidden layer.
    """

    reads: frozenset[str] = frozenset()
    shallowest = 5

    def __init__(
        self, spec: HeadSpec, hidden: Sequence[int] = (4096, 1024), pool: int = 7, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.pool = pool
        self.regressor = regressor(spec.channels[-1], hidden, pool, dropout, boxes=1)

    def forward(self, features: Features) -> Tensor:
        """One box per image, (N, 4)."""
        return coordinates(self.regressor(features.stages[-1]))

    def maps(self, features: Features, grid: tuple[int, int]) -> Tensor:
        """The box of every window of ``grid`` cells, as shares of the window: (N, 4, h', w')."""
        return coordinates(slide(self.regressor[2:], features.stages[-1], self.pool, grid))


def regressor(channels: int, hidden: Sequence[int], pool: int, dropout: float, boxes: int) -> nn.Sequential:
    """Layers from a feature map (N, channels, h, w) to (N, 4 * boxes) logits of coordinates.

    Raises:
        ValueError: ``hidden`` is not a list.
    """
    if isinstance(hidden, int):
        raise ValueError(f"head.hidden={hidden} must be a list, one number per hidden layer: head.hidden=[{hidden}]")
    layers: list[nn.Module] = [nn.AdaptiveAvgPool2d(pool), nn.Flatten()]
    incoming = channels * pool**2
    for units in hidden:
        layers += [nn.Linear(incoming, units), nn.ReLU(inplace=True), nn.Dropout(dropout)]
        incoming = units
    return nn.Sequential(*layers, nn.Linear(incoming, 4 * boxes))


def coordinates(logits: Tensor) -> Tensor:
    """The sigmoid of the logits, in float32: between 0.5 and 1, bfloat16 has steps of 1/256, nearly a pixel of 224."""
    return logits.float().sigmoid()
