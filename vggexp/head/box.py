"""One box an image: dense layers that end in four sigmoid units.

The layers are OverFeat's regressor, 4096-1024-4 (Sermanet et al., arXiv 1312.6229, 4.1); one box for all classes
is what VGG calls single-class regression (arXiv 1409.1556, appendix A). Neither paper has the sigmoid: it keeps the
coordinates, shares of the image, within 0..1.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from vggexp.types import Features, HeadSpec


class Box(nn.Module):
    """Features to boxes (N, 4): (x, y, h, w) as shares of the image, 0 to 1.

    Args:
        spec: the backbone's channels; the classes do not matter.
        hidden: units of each hidden layer, first to last.
        pool: cells a side that the last stage is averaged to.
        dropout: probability, after each hidden layer.
    """

    reads: frozenset[str] = frozenset()
    shallowest = 5

    def __init__(
        self, spec: HeadSpec, hidden: Sequence[int] = (4096, 1024), pool: int = 7, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.regressor = regressor(spec.channels[-1], hidden, pool, dropout, boxes=1)

    def forward(self, features: Features) -> Tensor:
        """One box an image."""
        return coordinates(self.regressor(features.stages[-1]))


def regressor(channels: int, hidden: Sequence[int], pool: int, dropout: float, boxes: int) -> nn.Sequential:
    """Layers from a feature map (N, channels, h, w) to (N, 4 * boxes) logits of coordinates.

    Raises:
        ValueError: ``hidden`` is no list.
    """
    if isinstance(hidden, int):
        raise ValueError(f"head.hidden={hidden} must be a list, a number for each hidden layer: head.hidden=[{hidden}]")
    layers: list[nn.Module] = [nn.AdaptiveAvgPool2d(pool), nn.Flatten()]
    incoming = channels * pool**2
    for units in hidden:
        layers += [nn.Linear(incoming, units), nn.ReLU(inplace=True), nn.Dropout(dropout)]
        incoming = units
    return nn.Sequential(*layers, nn.Linear(incoming, 4 * boxes))


def coordinates(logits: Tensor) -> Tensor:
    """The sigmoid units. In float32: between 0.5 and 1, bfloat16 steps by 1/256, a pixel of a 224-pixel image."""
    return logits.float().sigmoid()
