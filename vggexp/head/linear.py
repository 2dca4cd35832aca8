"""A linear classifier on the globally averaged last stage (Lin et al., "Network In Network", arXiv 1312.4400, 3.2).

It has 1/240 of the parameters of VGG's dense layers at 1000 classes, and accepts images of any size.
"""

from torch import Tensor, nn

from vggexp.types import Features, HeadSpec


class Linear(nn.Module):
    """Features to class logits (N, C): the spatial mean of the last stage, then one dense layer.

    Args:
        spec: the backbone's channels and the number of classes.
        dropout: probability, on the averaged features.
    """

    reads: frozenset[str] = frozenset()
    fully_convolutional = True
    shallowest = 5

    def __init__(self, spec: HeadSpec, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(spec.channels[-1], spec.num_classes)

    def forward(self, features: Features) -> Tensor:
        """Logits of the averaged features."""
        logits: Tensor = self.classifier(self.dropout(features.stages[-1].mean((2, 3))))
        return logits

    def maps(self, features: Features, grid: tuple[int, int]) -> Tensor:
        """Logits (N, C, h', w') of the mean of every window of ``grid`` cells."""
        mean = nn.functional.avg_pool2d(features.stages[-1], grid, stride=1)
        return nn.functional.conv2d(mean, self.classifier.weight[:, :, None, None], self.classifier.bias)
