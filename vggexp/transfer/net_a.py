"""Initialises a deep net as the paper does: from the first convolutions of net A, the shallowest.

Simonyan & Zisserman, arXiv 1409.1556, section 3.1: the first four convolutions of the deep nets start from net A's.
"""

from typing import cast

from torch import nn

from vggexp.errors import ConfigError
from vggexp.transfer.shapes import Tensors
from vggexp.types import Backbone

NET_A = {False: [0, 3, 6, 8, 11, 13, 16, 18], True: [0, 4, 8, 11, 15, 18, 22, 25]}
"""Indices of net A's convolutions in ``features``, without and with batch normalisation."""

FIRST = (1, 1, 2)
"""Number of net A's convolutions to copy in stages 1, 2 and 3; their shapes fit every deeper net's same stages."""


def first_of_net_a(source: str, given: Tensors, backbone: nn.Module) -> dict[str, str]:
    """Map from tensor names of a deeper net to the names of net A's tensors that initialise them.

    Each batch normalisation is copied together with its convolution.

    Raises:
        ConfigError: the source is not net A, or only one of the two has batch normalisation.
    """
    convolutions, norms = _layers(given)
    _check_nets(source, convolutions, bool(norms), backbone)
    pairs = list(zip(_starts(backbone), convolutions[: sum(FIRST)], strict=True))
    if norms:
        pairs += [(target + 1, its + 1) for target, its in pairs]
    return {
        name.replace(f".{its}.", f".{target}."): name
        for target, its in pairs
        for name in given
        if name.startswith(f"features.{its}.")
    }


def _layers(given: Tensors) -> tuple[list[int], list[int]]:
    """The indices in ``features`` of a source's convolutions and of its normalisations."""
    weights = {int(name.split(".")[1]): tensor.ndim for name, tensor in given.items() if name.endswith(".weight")}
    convolutions, norms = (sorted(place for place, ndim in weights.items() if ndim == wanted) for wanted in (4, 1))
    return convolutions, norms


def _check_nets(source: str, convolutions: list[int], normed: bool, backbone: nn.Module) -> None:
    if convolutions != NET_A[normed]:
        raise ConfigError(
            f"backbone.weights_map=vgg_a: {source} is not net A: its {len(convolutions)} convolutions are the layers "
            f"{convolutions} of features; give a run of backbone=vgg11 or vgg11_bn"
        )
    if sum(isinstance(layer, nn.Conv2d) for layer in backbone.modules()) == len(convolutions):
        raise ConfigError("backbone.weights_map=vgg_a: this backbone is net A itself; use weights_map=same")
    if normed != any(isinstance(layer, nn.BatchNorm2d) for layer in backbone.modules()):
        which = "has batch normalisation and this backbone has none" if normed else "has no batch normalisation"
        raise ConfigError(f"backbone.weights_map=vgg_a: {source} {which}; choose vgg11 or vgg11_bn to match")


def _starts(backbone: nn.Module) -> list[int]:
    """The indices in ``features`` of a deeper net's convolutions that net A initialises."""
    stages = [
        [int(name) for name, layer in stage.named_children() if isinstance(layer, nn.Conv2d)]
        for stage in cast(Backbone, backbone).stages()
    ]
    return [place for stage, count in zip(stages, FIRST, strict=False) for place in stage[:count]]
