"""The dense layers of a patch classifier, as 1x1 convolutions: one class for each cell of the last stage.

With ``backbone=patch`` a cell is a pixel (docs/papers/patches.md); with VGG it is a block of 32 x 32 pixels, which all
get the cell's scores. A single patch gets those of its centre pixel in all pixels.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vggexp.types import Features, HeadSpec


class Patch(nn.Module):
    """Features to pixel logits (N, C, H, W), each cell's repeated over its pixels.

    Args:
        spec: the backbone's channels and the number of classes.
        hidden: units of each hidden layer, first to last.
        dropout: probability, after each hidden layer.
    """

    reads: frozenset[str] = frozenset()
    fully_convolutional = True

    def __init__(self, spec: HeadSpec, hidden: Sequence[int] = (200,), dropout: float = 0.0) -> None:
        super().__init__()
        self.shallowest = len(spec.channels)
        layers: list[nn.Module] = []
        incoming = spec.channels[-1]
        for units in hidden:
            convolution = nn.Conv2d(incoming, units, 1)
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            layers += [convolution, nn.ReLU(inplace=True), nn.Dropout(dropout)]
            incoming = units
        self.classifier = nn.Sequential(*layers, nn.Conv2d(incoming, spec.num_classes, 1))

    def forward(self, features: Features) -> Tensor:
        """Logits at the images' size."""
        cells: Tensor = self.classifier(features.stages[-1])
        if cells.shape[-2:] == features.size:
            return cells
        rows, columns = (
            torch.arange(side, device=cells.device) * count // side
            for side, count in zip(features.size, cells.shape[-2:], strict=True)
        )
        return cells.index_select(-2, rows).index_select(-1, columns)
