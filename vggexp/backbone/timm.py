"""Any network of timm that gives its features stage by stage: ``backbone=timm backbone.name=resnet18``.

Most of timm's ``features_only`` networks (Wightman, https://github.com/huggingface/pytorch-image-models) are lists of
layers, some of which end a stage. Needs the extra ``timm``.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from vggexp.backbone.layer.normalized import Normalized
from vggexp.backbone.layer.staged import features_of
from vggexp.errors import did_you_mean
from vggexp.types import Features


class Timm(Normalized):
    """Normalised images (N, 3, H, W) to the features of the network's stages.

    Args:
        name: timm's name of the network.
        mean, std: per channel, for pixels scaled to 0..1; None: those that timm's weights were trained with.

    Raises:
        ValueError: timm is missing, has no such network, or the network is no list of stages.
    """

    gives: frozenset[str] = frozenset()
    """The features besides ``Features.stages`` that a head may read: none, for its poolings are not VGG's."""
    features: Any

    def __init__(self, name: str, mean: Sequence[float] | None = None, std: Sequence[float] | None = None) -> None:
        super().__init__()
        network = create(name, pretrained=False)
        self.channels, self.strides = tuple(network.feature_info.channels()), tuple(network.feature_info.reduction())
        self.features = network
        config = defaults(name)
        self.set_normalization(mean or config["mean"], std or config["std"])

    def stages(self) -> tuple[nn.Sequential, ...]:
        """The layers of each stage, from shallow to deep; together they hold all parameters."""
        found: list[list[nn.Module]] = [[]]
        for name, layer in self.features.items():
            found[-1].append(layer)
            if name in self.features.return_layers:
                found.append([])
        return tuple(nn.Sequential(*layers) for layers in found if layers)

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


def create(name: str, pretrained: bool) -> Any:
    """A network of timm as a list of layers.

    Raises:
        ValueError: timm is missing, has no such network, or gives its features in another way.
    """
    try:
        import timm
        from timm.models import FeatureListNet
    except ImportError as error:
        raise ValueError("backbone=timm needs timm: pip install 'vggexp[timm]'") from error
    known = timm.list_models()
    if name.partition(".")[0] not in known:
        raise ValueError(f"backbone.name={name}: timm has no such network{did_you_mean(name, known)}")
    try:
        network = timm.create_model(name, pretrained=pretrained, features_only=True)
    except (RuntimeError, AssertionError, AttributeError) as error:
        raise ValueError(f"backbone.name={name} gives no features stage by stage ({error})") from error
    if type(network) is not FeatureListNet or network.concat or str(network.output_fmt.value) != "NCHW":
        raise ValueError(
            f"backbone.name={name} gives its features as a {type(network).__name__}, not as a list of layers that end "
            "in stages; resnet18, regnetx_002, densenet121, convnext_tiny do"
        )
    return network


def defaults(name: str) -> dict[str, Sequence[float]]:
    """``mean`` and ``std`` of timm's weights of this network."""
    import timm

    config = timm.get_pretrained_cfg(name)
    return {"mean": config.mean, "std": config.std} if config else {"mean": (0.5,) * 3, "std": (0.5,) * 3}
