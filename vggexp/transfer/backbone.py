"""Initialises a backbone from another run, from torchvision, or, for deep nets, from net A."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from vggexp.errors import ConfigError
from vggexp.transfer.checkpoint import read_weights
from vggexp.transfer.net_a import first_of_net_a
from vggexp.transfer.report import LoadReport, left_out
from vggexp.transfer.shapes import Tensors, check_shapes

Config = Mapping[str, Any]


def load_backbone(backbone: nn.Module, source: str, config: Config) -> LoadReport | None:
    """Copy all weights of a backbone; with ``weights_map: vgg_a`` only those of the layers shared with net A.

    Args:
        backbone: receives the weights.
        source: "none", "imagenet", a run folder (its best checkpoint), a ``.ckpt``, ``.pth`` or ``.safetensors`` file.
        config: the backbone's own config: its net, its normalisation, its ``weights_map``.

    Raises:
        ConfigError: the weights are of another architecture, or were trained with another normalisation.
        DataError: the file cannot be read or downloaded.
    """
    if source in ("none", None):
        return None
    if config.get("weights_map", "same") == "vgg_a":
        return _fill_from_net_a(backbone, source, {**config, "net": "A"})
    tensors, own = _read(source, config)
    _check(source, own, backbone.state_dict())
    backbone.load_state_dict(own)
    return LoadReport("backbone", str(source), tuple(own), (), left_out(tensors, own))


def _fill_from_net_a(backbone: nn.Module, source: str, config: Config) -> LoadReport:
    tensors, own = _read(source, config)
    given = {place: own[name] for place, name in first_of_net_a(source, own, backbone).items()}
    wanted = backbone.state_dict()
    _check(source, given, {name: tensor for name, tensor in wanted.items() if name in given})
    backbone.load_state_dict(given, strict=False)
    initial = f"the {len(wanted) - len(given)} tensors of other layers"
    return LoadReport("backbone", str(source), tuple(given), (initial,), left_out(tensors, given))


def _read(source: str, config: Config) -> tuple[Tensors, Tensors]:
    """All tensors of the source, and those of its backbone, under the backbone's names."""
    tensors, about = read_weights(source, config, "backbone")
    origin = about.get("config", {}).get("backbone", {})
    for key in ("mean", "std"):
        if key in origin and list(origin[key]) != list(config[key]):
            raise ConfigError(f"backbone.{key}={config[key]}: the weights in {source} were trained with {origin[key]}")
    # "backbone.features..." in a run, "features..." in torchvision's files
    named = {name.removeprefix("backbone."): tensor for name, tensor in tensors.items()}
    own = {name: tensor for name, tensor in named.items() if name.startswith("features.")}
    if not own:
        raise ConfigError(f"backbone.weights={source} holds no VGG backbone: no tensor's name begins with features.")
    return tensors, own


def _check(source: str, given: Tensors, wanted: Tensors) -> None:
    advice = "; choose the backbone and width that these weights have"
    check_shapes(f"backbone.weights={source}", given, wanted, "this backbone", advice)
