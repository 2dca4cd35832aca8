"""Adapters: a few parameters that train in place of a layer's own, and what they come to as a layer without them.

torch's parametrizations hold them: a layer's weight W becomes f(W), computed anew in each pass, so no backbone knows of
them. ``merged`` computes f(W) once, for whoever reads a checkpoint without training on.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

MARK = ".parametrizations."
"""What the name of a parametrized layer's tensor contains."""


class LowRank(nn.Module):
    """W + B A of rank r: Hu et al., "LoRA", arXiv 2106.09685, section 4.1, for convolutions; zero at the start.

    A is a k x k convolution to r channels, B a 1 x 1 convolution from them. The paper's factor alpha / r is 1.

    Args:
        weight: (out, in, k, k).
        rank: r, at least 1.
    """

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        self.up = nn.Parameter(weight.new_zeros(len(weight), rank))
        self.down = nn.Parameter(torch.empty(rank, weight[0].numel(), dtype=weight.dtype, device=weight.device))
        nn.init.kaiming_uniform_(self.down, a=5**0.5)

    def forward(self, weight: Tensor) -> Tensor:
        """The layer's weight."""
        return low_rank(weight, self.up, self.down)


class Scale(nn.Module):
    """W times a number for each output channel; 1 at the start."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.scale = nn.Parameter(weight.new_ones(len(weight)))

    def forward(self, weight: Tensor) -> Tensor:
        """The layer's weight."""
        return scaled(weight, self.scale)


class Shift(nn.Module):
    """The bias plus a number for each channel; 0 at the start."""

    def __init__(self, bias: Tensor) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros_like(bias))

    def forward(self, bias: Tensor) -> Tensor:
        """The layer's bias."""
        return bias + self.shift


def low_rank(weight: Tensor, up: Tensor, down: Tensor) -> Tensor:
    """W + B A, in the shape of W."""
    return weight + (up @ down).view(weight.shape)


def scaled(weight: Tensor, scale: Tensor) -> Tensor:
    """W times a number for each output channel."""
    return weight * scale.view(-1, *[1] * (weight.ndim - 1))


def add(layer: nn.Module, name: str, adapter: nn.Module) -> None:
    """Make a layer's tensor a function of itself; one that already is stays as it is."""
    if not parametrize.is_parametrized(layer, name):
        parametrize.register_parametrization(layer, name, adapter)


def is_adapted(state: Mapping[str, Any]) -> bool:
    """Whether a state dict is that of layers with adapters."""
    return any(MARK in name for name in state)


def merged(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict of the same layers without adapters, bit for bit what they compute; others stay as they are."""
    whole: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if MARK not in name:
            whole[name] = tensor
        elif name.endswith(".original"):
            base = name.removesuffix("original") + "0."
            layer, _, kind = name.removesuffix(".original").partition(MARK)
            whole[f"{layer}.{kind}"] = _merge(tensor, {
                key.removeprefix(base): value for key, value in state.items() if key.startswith(base)
            })  # fmt: skip
    return whole


def _merge(tensor: Tensor, adapter: Mapping[str, Tensor]) -> Tensor:
    if "up" in adapter:
        return low_rank(tensor, adapter["up"], adapter["down"])
    return scaled(tensor, adapter["scale"]) if "scale" in adapter else tensor + adapter["shift"]


def without_adapters(content: Mapping[str, Any]) -> dict[str, Any]:
    """A checkpoint's ``state_dict`` and ``config`` with merged layers; its backbone then counts as frozen whole."""
    if not is_adapted(content.get("state_dict", {})):
        return dict(content)
    plain = {**content, "state_dict": merged(content["state_dict"])}
    if isinstance(config := content.get("config"), Mapping):
        shared = {key: value for key, value in config["freeze"].items() if key in _SHARED}
        freeze = {"_target_": "vggexp.freeze.backbone.WholeBackbone", **shared}
        plain["config"] = {**config, "freeze": freeze, "choice": {**config["choice"], "freeze": "backbone"}}
    return plain


_SHARED = ("lr_decay", "norm", "dropout", "lr_factors", "warmup")
"""The keys of ``freeze`` that any policy has."""
