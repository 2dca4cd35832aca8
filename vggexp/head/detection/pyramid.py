"""A feature pyramid on VGG: maps with the same number of channels at strides 4 to 64.

Lin et al., "Feature Pyramid Networks for Object Detection", arXiv 1612.03144, section 3.
"""

from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7

from vggexp.types import Features, HeadSpec


class Pyramid(nn.Module):
    """Features to maps (N, channels, h, w), from fine to coarse, by name.

    It starts from each stage's last convolution, before its pooling, and from stage 5's pooling: at the same strides as
    a residual network's stages, and with more convolutions before each map than after the pooling.

    Args:
        spec: the backbone's channels.
        channels: of each map.
        first: the shallowest stage that it reads before its pooling: 3 starts at stride 4, 4 at stride 8.
        extra: number of coarser maps after stride 32: 1 (by pooling) or 2 (by convolutions, as FCOS has).

    Raises:
        ValueError: ``first`` or ``extra`` is another number.
    """

    def __init__(self, spec: HeadSpec, channels: int, first: int = 3, extra: int = 1) -> None:
        super().__init__()
        if first not in (3, 4):
            raise ValueError(f"a pyramid starts at stage 3 or 4, not {first}")
        if extra not in (1, 2):
            raise ValueError(f"a pyramid has 1 or 2 extra maps, not {extra}")
        self.first = first
        self.strides = {f"stride{2 ** (k - 1)}": 2 ** (k - 1) for k in range(first, 7 + extra)}
        last = LastLevelMaxPool() if extra == 1 else LastLevelP6P7(channels, channels)
        self.fpn = FeaturePyramidNetwork([*spec.channels[first - 1 :], spec.channels[-1]], channels, last)

    def forward(self, features: Features) -> dict[str, Tensor]:
        """The maps."""
        maps = [*features.skips[self.first - 1 :], features.stages[-1]]
        found = self.fpn(dict(zip(self.strides, maps, strict=False)))
        return dict(zip(self.strides, found.values(), strict=True))
