"""VGG's own classifier: FC-4096, FC-4096, FC-C on the last stage.

Simonyan & Zisserman, arXiv 1409.1556, table 1. Most of the network's parameters are here: 124 M of VGG16's 138 M.
"""

from torch import Tensor, nn

from vggexp.types import Features, HeadSpec


class MLP(nn.Module):
    """Features to class logits (N, C).

    The layers are in one ``nn.Sequential`` called ``classifier``, numbered as in torchvision, so that
    torchvision's weights load key for key.

    Args:
        spec: the backbone's channels and the number of classes.
        hidden: units of each of the two hidden layers.
        pool: size of the grid (pool x pool) to which the last stage is averaged; 7 keeps the grid of a 224-pixel image.
        dropout: probability, after each hidden layer.
    """

    reads: frozenset[str] = frozenset()
    shallowest = 5

    def __init__(self, spec: HeadSpec, hidden: int = 4096, pool: int = 7, dropout: float = 0.5) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(pool)
        self.classifier = nn.Sequential(
            nn.Linear(spec.channels[-1] * pool**2, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, spec.num_classes),
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
