"""How far the weights of one network lie from those of another: by part and by layer."""

from collections.abc import Mapping

from torch import Tensor

from vggexp.learner.learner import Learner

Tensors = Mapping[str, Tensor]


def distance(first: Tensors, second: Tensors) -> float:
    """The L2 distance of two sets of tensors, divided by the norm of the first; NaN if that is zero.

    >>> import torch
    >>> distance({"w": torch.tensor([3.0, 4.0])}, {"w": torch.tensor([3.0, 3.0])})
    0.2
    """
    moved = sum(float((second[name].double() - one.double()).square().sum()) for name, one in first.items())
    norm = sum(float(one.double().square().sum()) for one in first.values())
    return float((moved / norm) ** 0.5) if norm else float("nan")


def weights(learner: Learner) -> dict[str, dict[str, Tensor]]:
    """The parameters by part (stage1, ..., head) and by name, without buffers."""
    own = {info.name for info, _ in learner.freezing.parameters}
    parts = learner.freezing.tensors()
    return {part: {name: one.detach().cpu() for name, one in tensors.items() if name in own}
            for part, tensors in parts.items()}  # fmt: skip


def same_shapes(first: Tensors, second: Tensors) -> bool:
    """Whether two sets have tensors of the same names and shapes."""
    return {name: one.shape for name, one in first.items()} == {name: one.shape for name, one in second.items()}


def by_layer(first: Tensors, second: Tensors) -> dict[str, float]:
    """The distance of each layer's tensors (its weight and its bias together), by the layer's name."""
    layers: dict[str, list[str]] = {}
    for name in first:
        layers.setdefault(name.rpartition(".")[0], []).append(name)
    return {
        layer: distance({name: first[name] for name in names}, {name: second[name] for name in names})
        for layer, names in layers.items()
    }
