"""FCN: dense layers as convolutions; adds the scores of shallower stages and upsamples to pixels.

Long, Shelhamer & Darrell, "Fully Convolutional Networks for Semantic Segmentation", arXiv 1411.4038, section 4.
"""

import torch
from torch import Tensor, nn

from vggexp.types import Features, HeadSpec


class FCN(nn.Module):
    """Features to pixel logits (N, C, H, W).

    Args:
        spec: the backbone's channels and strides, and the number of classes.
        stride: 32 scores the last stage only (FCN-32s); 16 adds stage 4 (FCN-16s); 8 adds stage 3 too (FCN-8s).
        hidden: channels of fc6 and fc7.
        dropout: probability, after fc6 and fc7.

    Raises:
        ValueError: ``stride`` is not 32, 16 or 8.
    """

    reads: frozenset[str] = frozenset()
    fully_convolutional = True

    def __init__(self, spec: HeadSpec, stride: int = 8, hidden: int = 4096, dropout: float = 0.5) -> None:
        super().__init__()
        if stride not in (32, 16, 8):
            raise ValueError(f"head.stride is 32, 16 or 8 (FCN-32s, FCN-16s, FCN-8s), not {stride}")
        classes = spec.num_classes
        self.fc6, self.fc7 = _dense(spec.channels[-1], hidden, 7, dropout), _dense(hidden, hidden, 1, dropout)
        self.score = _scorer(hidden, classes)
        # The stages before the last one whose stride is at least ``stride``, from deep to shallow.
        self.skip_stages = [k for k in reversed(range(len(spec.strides) - 1)) if spec.strides[k] >= stride]
        self.shallowest = min([len(spec.strides), *(k + 1 for k in self.skip_stages)])
        self.skip_scores = nn.ModuleList(_scorer(spec.channels[k], classes) for k in self.skip_stages)
        self.fusions = nn.ModuleList(Upsample(classes, 2) for _ in self.skip_stages)
        self.upsample = Upsample(classes, stride)

    def forward(self, features: Features) -> Tensor:
        """Scores of the last stage, refined stage by stage, at the images' size."""
        scores: Tensor = self.score(self.fc7(self.fc6(features.stages[-1])))
        for k, scorer, fusion in zip(self.skip_stages, self.skip_scores, self.fusions, strict=True):
            skip = features.stages[k]
            scores = fusion(scores, (skip.shape[-2], skip.shape[-1])) + scorer(skip)
        logits: Tensor = self.upsample(scores, features.size)
        return logits


class Upsample(nn.Module):
    """(N, C, h, w) scores to (N, C, H, W), ``factor`` times the size; H // factor must be h, W // factor w.

    A trainable transposed convolution, initialised to bilinear interpolation of each class (section 3.3).
    """

    def __init__(self, classes: int, factor: int) -> None:
        super().__init__()
        # The padding of 3/2 cells crops the kernel's overhang of half a cell and the cell that ``forward`` pads.
        self.convolution = nn.ConvTranspose2d(classes, classes, 2 * factor, factor, 3 * factor // 2, bias=False)
        ramp = 1 - ((torch.arange(2 * factor) + 0.5) / factor - 1).abs()
        diagonal = torch.arange(classes)
        with torch.no_grad():
            self.convolution.weight.zero_()
            self.convolution.weight[diagonal, diagonal] = ramp[:, None] * ramp

    def forward(self, scores: Tensor, size: tuple[int, int]) -> Tensor:
        """Upsample to ``size``; the border repeats the outermost cells."""
        # Pad one cell before and two after: pooling drops up to factor - 1 pixels at the bottom and right.
        scores = nn.functional.pad(scores, (1, 2, 1, 2), mode="replicate")
        upsampled: Tensor = self.convolution(scores)
        return upsampled[..., : size[0], : size[1]]


def _dense(incoming: int, outgoing: int, kernel: int, dropout: float) -> nn.Sequential:
    """A dense layer as a convolution.

    The paper pads the image by 100 pixels so that the unpadded 7x7 fc6 fits, and crops the result. Padding
    fc6 itself keeps its map on the last stage's grid: any image of 32 pixels or more works, without computing on zeros.
    """
    convolution = nn.Conv2d(incoming, outgoing, kernel, padding=kernel // 2)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return nn.Sequential(convolution, nn.ReLU(inplace=True), nn.Dropout(dropout))


def _scorer(channels: int, classes: int) -> nn.Conv2d:
    """A 1x1 convolution to class scores, initialised to zero as in the paper: a new skip changes nothing at first."""
    scorer = nn.Conv2d(channels, classes, 1)
    nn.init.zeros_(scorer.weight)
    assert scorer.bias is not None
    nn.init.zeros_(scorer.bias)
    return scorer
