"""A network for the centre pixel of a patch: convolutions without padding, and the same over a whole image at once.

Ciresan, Giusti, Gambardella & Schmidhuber, "Deep Neural Networks Segment Neuronal Membranes in Electron Microscopy
Images", NIPS 2012: a classifier of 65-pixel patches is slid over the image. Here the layers follow VGG's rule, 3x3
convolutions and 2x2 poolings, all of one width.

An image of exactly ``patch`` x ``patch`` pixels is a patch: its poolings halve the map, and one cell is left. Any
other image is padded by ``patch // 2`` mirrored pixels, its poolings move by one pixel, and all later layers are
dilated by the strides that were left out. So each pixel's features come from the same numbers as its own patch's.
(Giusti et al., "Fast Image Scanning with Deep Max-Pooling Convolutional Neural Networks", arXiv 1302.1700, reach the
same by fragments of the map.)
"""

from collections.abc import Sequence

from torch import Tensor, nn

from vggexp.backbone.layer.staged import Staged
from vggexp.sample.mirror import mirrored
from vggexp.types import Features


class Patch(Staged):
    """Normalised images (N, 3, H, W) to stages of features: (N, C, 1, 1) of a patch, (N, C, H, W) of a larger image.

    Args:
        patch: side of a patch, pixels, odd; its centre is the pixel to classify.
        depth: 3x3 convolutions of each stage; a 2x2 max-pooling closes each.
        width: channels of every layer.
        batch_norm: batch normalisation after each convolution.
        mean, std: per channel, for pixels scaled to 0..1; ``normalize`` applies them.

    Raises:
        ValueError: the patch has no centre, or the layers do not leave one cell of it.
    """

    gives: frozenset[str] = frozenset()
    """The features besides ``Features.stages`` that a head may read: none."""

    def __init__(
        self,
        patch: int = 65,
        depth: Sequence[int] = (2, 2, 2, 1),
        width: int = 32,
        batch_norm: bool = True,
        mean: Sequence[float] = (0.485, 0.456, 0.406),
        std: Sequence[float] = (0.229, 0.224, 0.225),
    ) -> None:
        super().__init__()
        if patch % 2 == 0 or (left := cells(patch, depth)) != 1:
            why = "has no centre pixel" if patch % 2 == 0 else f"is left with {left} cells a side, not 1"
            raise ValueError(f"backbone.patch={patch} {why}; with depth [2,2,2,1] give 65")
        self.patch, self.depth = patch, tuple(depth)
        self.channels, self.strides = (width,) * len(depth), (1,) * len(depth)
        self.features, self._stage_ends = nn.Sequential(), list[int]()
        incoming = 3
        for count in depth:
            for _ in range(count):
                convolution = nn.Conv2d(incoming, width, 3, bias=not batch_norm)
                nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
                self.features.extend([convolution, *([nn.BatchNorm2d(width)] if batch_norm else []), nn.ReLU()])
                incoming = width
            self.features.append(nn.MaxPool2d(2))
            self._stage_ends.append(len(self.features))
        self.set_normalization(mean, std)

    def forward(
        self,
        images: Tensor,
        reads: frozenset[str] = frozenset(),
        start: int = 0,
        size: tuple[int, int] | None = None,
    ) -> Features:
        """Features of every stage; of a larger image the last stage alone has its size, the others the padding left.

        With ``start`` = k, ``images`` are the output of stage k for images of ``size``; earlier stages are then empty.
        """
        whole = size or (images.shape[-2], images.shape[-1])
        is_patch = whole == (self.patch, self.patch)
        x = images if is_patch or start else mirrored(images, self.patch // 2)
        stages = [x.new_empty(0)] * (start - 1) + [x] * bool(start)
        for place, stage in enumerate(self.stages()[start:], start):
            x = stage(x) if is_patch else _dilated(stage, x, 2**place)
            stages.append(x)
        if not is_patch:  # the layers leave out a row or two of a patch: its last pixels reach no cell
            stages[-1] = x[..., : whole[0], : whole[1]]
        return Features(tuple(stages), whole)


def cells(patch: int, depth: Sequence[int]) -> int:
    """The side of the map that is left of a patch.

    >>> cells(65, (2, 2, 2, 1)), cells(95, (2, 2, 2, 1))
    (1, 3)
    """
    for count in depth:
        patch = (patch - 2 * count) // 2
    return patch


def _dilated(stage: nn.Sequential, x: Tensor, step: int) -> Tensor:
    """A stage on a map that no pooling has thinned out: its layers skip ``step`` - 1 cells, its pooling none."""
    for layer in stage:
        if isinstance(layer, nn.Conv2d):
            x = nn.functional.conv2d(x, layer.weight, layer.bias, dilation=step)
        elif isinstance(layer, nn.MaxPool2d):
            x = nn.functional.max_pool2d(x, 2, stride=1, dilation=step)
        else:
            x = layer(x)
    return x
