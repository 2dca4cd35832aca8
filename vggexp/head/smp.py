"""A decoder of segmentation_models_pytorch: ``head=smp head.name=FPN``. Needs the extra ``smp``.

Iakubovskii, https://github.com/qubvel-org/segmentation_models.pytorch (MIT). The library builds its decoders for an
encoder; here a stand-in without layers takes the encoder's place, and the backbone's stages come in for its features.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from vggexp.errors import did_you_mean
from vggexp.types import Features, HeadSpec

SHALLOWEST = {
    "FPN": 2, "Linknet": 1, "MAnet": 1, "PSPNet": 3, "Segformer": 1, "Unet": 1, "UnetPlusPlus": 1, "UPerNet": 2,
}  # fmt: skip
"""By decoder: the first stage that it reads. The library's others (DeepLab, PAN, DPT) change the encoder itself."""
STRIDES = (2, 4, 8, 16, 32)


class Smp(nn.Module):
    """Features of five stages to pixel logits (N, C, H, W).

    Args:
        spec: the backbone's channels and strides, and the number of classes.
        name: the library's name of the decoder.

    Raises:
        ValueError: the library is missing, has no such decoder, or the backbone has other strides.
    """

    reads: frozenset[str] = frozenset()
    fully_convolutional = True

    def __init__(self, spec: HeadSpec, name: str = "FPN") -> None:
        super().__init__()
        if name not in SHALLOWEST:
            raise ValueError(f"head.name={name} is no decoder that fits{did_you_mean(name, SHALLOWEST)}")
        if tuple(spec.strides) != STRIDES:
            raise ValueError(
                f"head=smp joins stages of strides {STRIDES}, and this backbone's are {tuple(spec.strides)}; VGG's and "
                "ResNet's fit"
            )
        self.shallowest = SHALLOWEST[name]
        self.decoder, self.score, self._depth = _build(name, spec)

    def forward(self, features: Features) -> Tensor:
        """Logits at the images' size."""
        cells = [-(-side // STRIDES[-1]) for side in features.size]
        stages = [
            stage if place + 1 < self.shallowest else _filled(stage, [side * STRIDES[-1] // stride for side in cells])
            for place, (stage, stride) in enumerate(zip(features.stages, STRIDES, strict=True))
        ]
        sides = [side * STRIDES[-1] for side in cells]
        # The library's first feature is the image; of it these decoders read nothing but the size.
        image = stages[-1].new_zeros(()).expand(len(stages[-1]), 3, *sides)
        logits: Tensor = self.score(self.decoder([image, *stages][: self._depth + 1]))
        return logits[..., : features.size[0], : features.size[1]]


def _filled(stage: Tensor, size: Sequence[int]) -> Tensor:
    """A stage on the grid of an image whose sides are multiples of 32: its last row and column are repeated."""
    missing = (0, size[1] - stage.shape[-1], 0, size[0] - stage.shape[-2])
    return nn.functional.pad(stage, missing, mode="replicate") if any(missing) else stage


def _build(name: str, spec: HeadSpec) -> tuple[nn.Module, nn.Module, int]:
    """The library's decoder, its last layers, and how many stages it takes."""
    try:
        import segmentation_models_pytorch as library
        from segmentation_models_pytorch.encoders import encoders
    except ImportError as error:
        raise ValueError(f"head=smp needs segmentation-models-pytorch: pip install 'vggexp[smp]' ({error})") from error
    known: dict[str, Mapping[str, Any]] = encoders
    known[_STAND_IN] = {"encoder": StandIn, "pretrained_settings": {}, "params": {"channels": spec.channels}}
    try:
        model = getattr(library, name)(_STAND_IN, encoder_weights=None, classes=spec.num_classes)
    finally:
        del known[_STAND_IN]
    return model.decoder, model.segmentation_head, int(model.encoder.depth)


_STAND_IN = "stages"


class StandIn(nn.Module):
    """Says of an encoder what the library asks when it builds a decoder; it has no layers."""

    def __init__(self, channels: Sequence[int], depth: int, output_stride: int) -> None:
        super().__init__()
        self.depth, self.output_stride = depth, output_stride
        self.out_channels = [3, *channels][: depth + 1]

    def set_in_channels(self, in_channels: int, pretrained: bool) -> None:
        """Nothing to change."""

    def forward(self, images: Tensor) -> Tensor:
        """Never called."""
        raise NotImplementedError
