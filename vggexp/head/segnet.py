"""SegNet: VGG's convolutions mirrored, without dense layers; it unpools with the switches and convolves.

Badrinarayanan, Kendall & Cipolla, "SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image Segmentation",
arXiv 1511.00561, section 3. DeconvNet (``deconvnet.py``) keeps VGG's dense layers, which hold most of its parameters;
SegNet drops them: 14.7 M encoder parameters where DeconvNet's has 134 M.
"""

from torch import Tensor, nn

from vggexp.head.deconvnet import DECONVOLUTIONS
from vggexp.types import Features, HeadSpec


class SegNet(nn.Module):
    """Features to pixel logits (N, C, H, W).

    Args:
        spec: the backbone's channels, five stages of them, and the number of classes.
        batch_norm: batch normalisation after each convolution but the last.
    """

    reads: frozenset[str] = frozenset({"switches"})
    fully_convolutional = True
    shallowest = 1

    def __init__(self, spec: HeadSpec, batch_norm: bool = True) -> None:
        super().__init__()
        narrower = (spec.channels[0], *spec.channels[:-1])
        plan = list(zip(DECONVOLUTIONS, spec.channels, narrower, strict=True))
        self.levels = nn.ModuleList(_level(*level, batch_norm) for level in reversed(plan[1:]))
        count, channels, _ = plan[0]
        # At full resolution the last of the mirrored convolutions gives the classes themselves.
        self.levels.append(_level(count - 1, channels, channels, batch_norm))
        self.score = nn.Conv2d(channels, spec.num_classes, 3, padding=1)

    def forward(self, features: Features) -> Tensor:
        """Logits at the images' size."""
        x = features.stages[-1]
        # A stage's input has the size of the previous stage's output; twice the pooled size would lose odd rows.
        sizes = [features.size, *((stage.shape[-2], stage.shape[-1]) for stage in features.stages[:-1])]
        for level, switch, size in zip(self.levels, features.switches[::-1], sizes[::-1], strict=True):
            x = level(nn.functional.max_unpool2d(x, switch, (2, 2), output_size=size))
        logits: Tensor = self.score(x)
        return logits


def _level(count: int, incoming: int, outgoing: int, batch_norm: bool) -> nn.Sequential:
    """``count`` 3x3 convolutions at one resolution, the last of them to ``outgoing`` channels."""
    layers: list[nn.Module] = []
    for place in range(count):
        width = outgoing if place == count - 1 else incoming
        convolution = nn.Conv2d(incoming, width, 3, padding=1)
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        layers += [convolution, *([nn.BatchNorm2d(width)] if batch_norm else []), nn.ReLU(inplace=True)]
        incoming = width
    return nn.Sequential(*layers)
