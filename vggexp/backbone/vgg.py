"""VGG's convolutions: images to five stages of features.

Simonyan & Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", arXiv 1409.1556, table 1.
Every 3x3 convolution keeps the size; a 2x2 max-pool closes each stage and halves it. The layers are in one
``nn.Sequential`` called ``features``, numbered as in torchvision, so that torchvision's weights load key for key.
The dense layers are a head: ``vggexp/head/mlp.py``.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from vggexp.backbone.layer.staged import Staged
from vggexp.errors import did_you_mean
from vggexp.types import Features

# A layer is the width of its 3x3 convolution; a negative width is a 1x1 convolution, which only net C has.
STAGES: dict[str, tuple[tuple[int, ...], ...]] = {
    "A": ((64,), (128,), (256,) * 2, (512,) * 2, (512,) * 2),
    "B": ((64,) * 2, (128,) * 2, (256,) * 2, (512,) * 2, (512,) * 2),
    "C": ((64,) * 2, (128,) * 2, (256, 256, -256), (512, 512, -512), (512, 512, -512)),
    "D": ((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3),
    "E": ((64,) * 2, (128,) * 2, (256,) * 4, (512,) * 4, (512,) * 4),
}


class VGG(Staged):
    """Normalised images (N, 3, H, W), H and W at least 32, to the features of five stages.

    Args:
        net: the paper's letter: "A" (VGG11), "B" (13), "C" (16 with 1x1 convolutions), "D" (16), "E" (19).
        batch_norm: batch normalisation after each convolution (torchvision's ``_bn`` variants; not in the paper).
        local_response_norm: normalise across channels after the first convolution (the paper's A-LRN).
        width: factor on the number of channels, for small machines; 1 is the paper's.
        mean, std: per channel, for pixels scaled to 0..1; ``normalize`` applies them.
    """

    strides = (2, 4, 8, 16, 32)

    def __init__(
        self,
        net: str,
        batch_norm: bool = False,
        local_response_norm: bool = False,
        width: float = 1.0,
        mean: Sequence[float] = (0.485, 0.456, 0.406),
        std: Sequence[float] = (0.229, 0.224, 0.225),
    ) -> None:
        super().__init__()
        if net not in STAGES:
            raise ValueError(f"backbone.net={net} is not known{did_you_mean(net, STAGES)}")
        plan = [[_scale(channels, width) for channels in stage] for stage in STAGES[net]]
        self.channels = tuple(abs(stage[-1]) for stage in plan)
        self.features = nn.Sequential()
        self._stage_ends: list[int] = []
        incoming = 3
        for stage in plan:
            for outgoing in stage:
                self.features.extend(_convolution(incoming, outgoing, batch_norm))
                if local_response_norm and incoming == 3:
                    # The paper's k=2, n=5, alpha=1e-4, beta=0.75; torch divides its alpha by n.
                    self.features.append(nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
                incoming = abs(outgoing)
            self.features.append(nn.MaxPool2d(2))
            self._stage_ends.append(len(self.features))
        self.set_normalization(mean, std)
        self.apply(_initialize)

    def forward(
        self,
        images: Tensor,
        reads: frozenset[str] = frozenset(),
        start: int = 0,
        size: tuple[int, int] | None = None,
    ) -> Features:
        """Features of five stages; the poolings' inputs ("skips") and indices ("switches") if ``reads`` names them.

        With ``start`` = k, ``images`` are the output of stage k for images of ``size``; earlier stages are then empty.
        """
        x, none = images, images.new_empty(0)
        stages = [none] * (start - 1) + [x] * bool(start)
        skips, switches = ([none] * start if name in reads else [] for name in ("skips", "switches"))
        for stage in self.stages()[start:]:
            x = stage[:-1](x)
            if "skips" in reads:
                skips.append(x)
            if "switches" in reads:
                x, switch = nn.functional.max_pool2d(x, 2, return_indices=True)
                switches.append(switch)
            else:
                x = stage[-1](x)
            stages.append(x)
        return Features(tuple(stages), size or (images.shape[-2], images.shape[-1]), tuple(skips), tuple(switches))


def _scale(channels: int, width: float) -> int:
    """Channels times width, at least 1, with the same sign (negative marks a 1x1 convolution)."""
    return (1 if channels > 0 else -1) * max(1, round(abs(channels) * width))


def _convolution(incoming: int, outgoing: int, batch_norm: bool) -> list[nn.Module]:
    size = 3 if outgoing > 0 else 1
    layers: list[nn.Module] = [nn.Conv2d(incoming, abs(outgoing), size, padding=size // 2)]
    if batch_norm:
        layers.append(nn.BatchNorm2d(abs(outgoing)))
    return [*layers, nn.ReLU(inplace=True)]


def _initialize(module: nn.Module) -> None:
    """He's initialisation, as torchvision's: the paper's N(0, 0.01) does not start nets deeper than A."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        assert module.bias is not None
        nn.init.zeros_(module.bias)
