"""DeconvNet: VGG16 mirrored; it unpools with the switches and deconvolves back to the pixels.

Noh, Hong & Han, "Learning Deconvolution Network for Semantic Segmentation", arXiv 1505.04366, section 3 and table 2.
With VGG16 and 21 classes it has the paper's 251,772,245 parameters, batch normalisation not counted.
"""

from torch import Tensor, nn

from vggexp.types import Features, HeadSpec

DECONVOLUTIONS = (2, 2, 3, 3, 3)
"""3x3 deconvolutions per level, by the stage that it mirrors; the last one changes to the next width."""


class DeconvNet(nn.Module):
    """Features to pixel logits (N, C, H, W).

    Args:
        spec: the backbone's channels, five stages of them, and the number of classes.
        hidden: channels of fc6 and fc7.
        window: kernel size of fc6 and of its deconvolution, in cells of the last stage. The paper's 7 covers 224
            pixels; on a larger map fc6 slides. The map must not be smaller.
        batch_norm: batch normalisation after every layer but the last.
    """

    reads: frozenset[str] = frozenset({"switches"})
    fully_convolutional = True
    shallowest = 1

    def __init__(self, spec: HeadSpec, hidden: int = 4096, window: int = 7, batch_norm: bool = True) -> None:
        super().__init__()
        channels = spec.channels
        self.window = window
        self.fc6 = _layer(nn.Conv2d(channels[-1], hidden, window), batch_norm)
        self.fc7 = _layer(nn.Conv2d(hidden, hidden, 1), batch_norm)
        self.deconv_fc6 = _layer(nn.ConvTranspose2d(hidden, channels[-1], window), batch_norm)
        narrower = (channels[0], *channels[:-1])
        plan = zip(DECONVOLUTIONS, channels, narrower, strict=True)
        self.levels = nn.ModuleList(_level(*level, batch_norm) for level in reversed(list(plan)))
        self.score = nn.Conv2d(channels[0], spec.num_classes, 1)

    def forward(self, features: Features) -> Tensor:
        """Logits at the images' size.

        Raises:
            ValueError: the last stage's map is smaller than the window.
        """
        x = features.stages[-1]
        if min(x.shape[-2:]) < self.window:
            raise ValueError(
                f"head.window={self.window} exceeds the last stage's {x.shape[-2]}x{x.shape[-1]} cells for images of "
                f"{features.size[0]}x{features.size[1]} pixels: set head.window to at most {min(x.shape[-2:])}"
            )
        x = self.deconv_fc6(self.fc7(self.fc6(x)))
        # A stage's input has the size of the previous stage's output; twice the pooled size would lose odd rows.
        sizes = [features.size, *((stage.shape[-2], stage.shape[-1]) for stage in features.stages[:-1])]
        for level, switch, size in zip(self.levels, features.switches[::-1], sizes[::-1], strict=True):
            x = level(nn.functional.max_unpool2d(x, switch, (2, 2), output_size=size))
        logits: Tensor = self.score(x)
        return logits


def _level(count: int, incoming: int, outgoing: int, batch_norm: bool) -> nn.Sequential:
    """``count`` 3x3 deconvolutions at one resolution, the last of them to ``outgoing`` channels."""
    widths = [incoming] * (count - 1) + [outgoing]
    return nn.Sequential(
        *(_layer(nn.ConvTranspose2d(incoming, width, 3, padding=1), batch_norm) for width in widths),
    )


def _layer(convolution: nn.Conv2d | nn.ConvTranspose2d, batch_norm: bool) -> nn.Sequential:
    """A convolution, batch normalisation if ``batch_norm``, and ReLU."""
    # He's initialisation. torch swaps the two fans of a transposed convolution, whose weight is (in, out, h, w).
    transposed = isinstance(convolution, nn.ConvTranspose2d)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out" if transposed else "fan_in", nonlinearity="relu")
    normalization = [nn.BatchNorm2d(convolution.out_channels)] if batch_norm else []
    return nn.Sequential(convolution, *normalization, nn.ReLU(inplace=True))
