"""Parameter groups, and the optimizer over them."""

from collections.abc import Callable, Iterable
from typing import Any

from torch import nn
from torch.optim import Optimizer

NORMS = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.SyncBatchNorm,
    nn.GroupNorm,
    nn.LayerNorm,
)


def parameter_groups(modules: Iterable[nn.Module], decay_biases_and_norms: bool) -> list[dict[str, Any]]:
    """The trainable parameters, each once: all in one group, or biases and norms apart, without weight decay."""
    decayed: list[nn.Parameter] = []
    spared: list[nn.Parameter] = []
    seen: set[int] = set()
    layers = (layer for module in modules for layer in module.modules())
    for layer in layers:
        for name, parameter in layer.named_parameters(recurse=False):
            if not parameter.requires_grad or id(parameter) in seen:
                continue
            seen.add(id(parameter))
            is_spared = not decay_biases_and_norms and (name == "bias" or isinstance(layer, NORMS))
            (spared if is_spared else decayed).append(parameter)
    groups: list[dict[str, Any]] = [{"params": decayed, "name": "decayed"}]
    groups.append({"params": spared, "name": "spared", "weight_decay": 0.0})
    return [group for group in groups if group["params"]]


def make_optimizer(
    create: Callable[..., Optimizer], modules: Iterable[nn.Module], decay_biases_and_norms: bool
) -> Optimizer:
    """The optimizer over the trainable parameters of some modules.

    Raises:
        ValueError: if nothing is left to train.
    """
    groups = parameter_groups(modules, decay_biases_and_norms)
    if not groups:
        raise ValueError("the freeze policy freezes every parameter: nothing is left to train")
    return create(groups)
