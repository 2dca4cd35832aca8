"""VGG's own classifier: FC-4096, FC-4096, FC-C on the last stage.

Simonyan & Zisserman, arXiv 1409.1556, table 1. Most of the network's parameters are here: 124 M of VGG16's 138 M.
"""

from collections.abc import Iterable, Sequence

from torch import Tensor, nn

from vggexp.types import Features, HeadSpec


class MLP(nn.Module):
    """Features to class logits (N, C).

    The layers are in one ``nn.Sequential`` called ``classifier``, numbered as in torchvision, so that
    torchvision's weights load key for key.

    Args:
        spec: the backbone's channels and the number of classes.
        hidden: units of both hidden layers, or of each: OverFeat's are [3072, 4096].
        pool: size of the grid (pool x pool) to which the last stage is averaged; 7 keeps the grid of a 224-pixel image.
        dropout: probability, after each hidden layer.

    Raises:
        ValueError: ``hidden`` has other than two numbers.
    """

    reads: frozenset[str] = frozenset()
    shallowest = 5

    def __init__(self, spec: HeadSpec, hidden: int | Sequence[int] = 4096, pool: int = 7, dropout: float = 0.5) -> None:
        super().__init__()
        units = [hidden] * 2 if isinstance(hidden, int) else list(hidden)
        if len(units) != 2:
            raise ValueError(f"head.hidden={units}: head=mlp has two hidden layers; give one number for both, or two")
        self.pool = pool
        self.avgpool = nn.AdaptiveAvgPool2d(pool)
        self.classifier = nn.Sequential(
            nn.Linear(spec.channels[-1] * pool**2, units[0]),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(units[0], units[1]),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(units[1], spec.num_classes),
        )
        self._initialize()

    def _initialize(self) -> None:
        """The paper's N(0, 0.01^2) in the last layer; He's initialisation before it (0.009 and 0.022 at full size).

        A fixed 0.01 suits thousands of units; with few units the activations would almost vanish.
        """
        for layer in self.classifier:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        last = self.classifier[-1]
        assert isinstance(last, nn.Linear)
        nn.init.normal_(last.weight, std=0.01)

    def forward(self, features: Features) -> Tensor:
        """The last stage, pooled and flattened, through the three dense layers."""
        logits: Tensor = self.classifier(self.avgpool(features.stages[-1]).flatten(1))
        return logits

    def maps(self, features: Features, grid: tuple[int, int]) -> Tensor:
        """Logits (N, C, h', w') of every window of ``grid`` cells: a pool x pool convolution, then two of 1x1 (3.2)."""
        return slide(self.classifier, features.stages[-1], self.pool, grid)


def slide(layers: Iterable[nn.Module], x: Tensor, pool: int, grid: tuple[int, int]) -> Tensor:
    """Dense layers at every position of a map: the first as a convolution of pool x pool, the others of 1x1.

    The layers learnt to read ``grid`` cells, averaged to pool x pool: here the average slides, and the convolution is
    dilated by the cells that one average covers.

    Args:
        layers: those of a ``Sequential`` after its pooling.
        x: the last stage, (N, channels, h, w), at least ``grid``.

    Raises:
        ValueError: ``grid`` is no multiple of ``pool``.
    """
    if any(side % pool for side in grid):
        raise ValueError(
            f"head.pool={pool} does not divide the {grid[0]} x {grid[1]} cells of a training image, so the dense "
            "layers are no convolution"
        )
    step = (grid[0] // pool, grid[1] // pool)
    if step != (1, 1):
        x = nn.functional.avg_pool2d(x, step, stride=1)
    size, dilation = pool, step
    for layer in layers:
        if isinstance(layer, nn.Linear):
            weight = layer.weight.view(len(layer.weight), x.shape[1], size, size)
            x, size, dilation = nn.functional.conv2d(x, weight, layer.bias, dilation=dilation), 1, (1, 1)
        else:
            x = layer(x)
    return x
