"""U-Net's expanding path on a VGG backbone.

Ronneberger, Fischer & Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", arXiv 1505.04597,
section 2. As in TernausNet (Iglovikov & Shvets, arXiv 1801.05746), the path begins after VGG's fifth pooling,
with two convolutions that see most of the image, so there is one level more than in the paper.
"""

import torch
from torch import Tensor, nn

from vggexp.types import Features, HeadSpec


class UNet(nn.Module):
    """Features to pixel logits (N, C, H, W).

    Args:
        spec: the backbone's channels and the number of classes.
        width: each level's channels divided by the stage's; the paper has 1. At 0.5 the head takes about half of
            the FLOPs of VGG16's convolutions; at 1 it takes more than they do.
        batch_norm: batch normalisation after each 3x3 convolution (not in the paper).
    """

    reads: frozenset[str] = frozenset({"skips"})
    fully_convolutional = True
    shallowest = 1

    def __init__(self, spec: HeadSpec, width: float = 0.5, batch_norm: bool = True) -> None:
        super().__init__()
        incoming = spec.channels[-1]
        self.bottom = nn.Sequential(
            *_convolution(incoming, incoming, batch_norm), *_convolution(incoming, incoming, batch_norm)
        )
        self.levels = nn.ModuleList()
        for channels in reversed(spec.channels):
            outgoing = max(1, round(channels * width))
            self.levels.append(Level(incoming, channels, outgoing, batch_norm))
            incoming = outgoing
        self.score = nn.Conv2d(incoming, spec.num_classes, 1)

    def forward(self, features: Features) -> Tensor:
        """Logits at the images' size: the last stage, joined by the next shallower skip at each level."""
        x = self.bottom(features.stages[-1])
        for level, skip in zip(self.levels, reversed(features.skips), strict=True):
            x = level(x, skip)
        logits: Tensor = self.score(x)
        return logits


class Level(nn.Module):
    """Upsample by 2, concatenate the skip and convolve twice: (N, incoming, h, w) to (N, outgoing, H, W).

    The paper's convolutions are unpadded and it crops the skip; here they are padded, so the sizes match.
    """

    def __init__(self, incoming: int, skip: int, outgoing: int, batch_norm: bool) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(incoming, outgoing, 2, stride=2)
        self.convolutions = nn.Sequential(
            *_convolution(outgoing + skip, outgoing, batch_norm), *_convolution(outgoing, outgoing, batch_norm)
        )

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """``x`` at the resolution of ``skip`` (N, skip, H, W)."""
        x = self.up(x)
        # Pooling drops the last row of an odd height; repeat the row above it.
        missing = (0, skip.shape[-1] - x.shape[-1], 0, skip.shape[-2] - x.shape[-2])
        if any(missing):
            x = nn.functional.pad(x, missing, mode="replicate")
        joined: Tensor = self.convolutions(torch.cat((skip, x), 1))
        return joined


def _convolution(incoming: int, outgoing: int, batch_norm: bool) -> list[nn.Module]:
    convolution = nn.Conv2d(incoming, outgoing, 3, padding=1, bias=not batch_norm)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return [convolution, *([nn.BatchNorm2d(outgoing)] if batch_norm else []), nn.ReLU(inplace=True)]
