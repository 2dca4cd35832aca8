"""OverFeat's two networks: images to five stages of features.

Sermanet, Eigen, Zhang, Mathieu, Fergus & LeCun, "OverFeat: Integrated Recognition, Localization and Detection using
Convolutional Networks", arXiv 1312.6229, table 1 (fast) and table 3 (accurate). Poolings do not overlap. The first two
convolutions are not padded, so a stage's map is smaller than the image over its stride: 6 x 6 cells of 231 pixels.
The dense layers are a head: ``head=mlp head.hidden=[3072,4096] head.pool=6``.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from vggexp.backbone.layer.staged import Staged, features_of
from vggexp.types import Features


class Layer(NamedTuple):
    """A convolution with what follows it."""

    channels: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    pool: int = 1
    """Side and stride of the pooling after it; 1: there is none."""


# The paper's layers, by stage: of the accurate network the last two are one stage, so that both have five.
NETS: dict[str, tuple[tuple[Layer, ...], ...]] = {
    "fast": (
        (Layer(96, 11, 4, 0, pool=2),),
        (Layer(256, 5, 1, 0, pool=2),),
        (Layer(512),),
        (Layer(1024),),
        (Layer(1024, pool=2),),
    ),
    "accurate": (
        (Layer(96, 7, 2, 0, pool=3),),
        (Layer(256, 7, 1, 0, pool=2),),
        (Layer(512),),
        (Layer(512),),
        (Layer(1024), Layer(1024, pool=3)),
    ),
}


class OverFeat(Staged):
    """Normalised images (N, 3, H, W) to the features of five stages.

    Args:
        net: "fast", stride 32, made for 231 pixels; "accurate", stride 36, made for 221.
        batch_norm: batch normalisation after each convolution; not in the paper.
        width: factor on the number of channels, for small machines; 1 is the paper's.
        mean, std: per channel, for pixels scaled to 0..1; ``normalize`` applies them.

    Raises:
        ValueError: ``net`` is another word.
    """

    gives: frozenset[str] = frozenset()
    """The features besides ``Features.stages`` that a head may read: none."""
    on_grid = False
    """Whether stage k has a cell for each ``strides[k]`` pixels: not without padding."""

    def __init__(
        self,
        net: str = "fast",
        batch_norm: bool = False,
        width: float = 1.0,
        mean: Sequence[float] = (0.485, 0.456, 0.406),
        std: Sequence[float] = (0.229, 0.224, 0.225),
    ) -> None:
        super().__init__()
        if net not in NETS:
            raise ValueError(f"backbone.net={net}: choose from: {', '.join(NETS)}")
        self.features, self._stage_ends = nn.Sequential(), list[int]()
        channels, strides, incoming, stride = list[int](), list[int](), 3, 1
        for stage in NETS[net]:
            for layer in stage:
                incoming, stride = self._add(layer, incoming, batch_norm, width), stride * layer.stride * layer.pool
            channels.append(incoming)
            strides.append(stride)
            self._stage_ends.append(len(self.features))
        self.channels, self.strides = tuple(channels), tuple(strides)
        self.set_normalization(mean, std)

    def _add(self, layer: Layer, incoming: int, batch_norm: bool, width: float) -> int:
        """The layers of a stage; its channels."""
        outgoing = max(1, round(layer.channels * width))
        convolution = nn.Conv2d(incoming, outgoing, layer.kernel, layer.stride, layer.padding)
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        assert convolution.bias is not None
        nn.init.zeros_(convolution.bias)
        self.features.extend([convolution, *([nn.BatchNorm2d(outgoing)] if batch_norm else []), nn.ReLU(inplace=True)])
        if layer.pool > 1:
            self.features.append(nn.MaxPool2d(layer.pool))
        return outgoing

    def forward(
        self,
        images: Tensor,
        reads: frozenset[str] = frozenset(),
        start: int = 0,
        size: tuple[int, int] | None = None,
    ) -> Features:
        """Features of every stage.

        With ``start`` = k, ``images`` are the output of stage k for images of ``size``; earlier stages are then empty.
        """
        return features_of(self.stages(), images, start, size)
