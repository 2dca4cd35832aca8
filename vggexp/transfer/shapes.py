"""Checks a source's tensors against those of a part."""

from collections.abc import Mapping

from torch import Tensor

from vggexp.errors import ConfigError

Tensors = Mapping[str, Tensor]


def check_shapes(source: str, given: Tensors, wanted: Tensors, part: str, advice: str) -> None:
    """ConfigError unless both have the same names, each with the same shape.

    Args:
        source: the key and its value: "backbone.weights=runs/x".
        part: words for the receiving part: "this head".
        advice: what to do instead, as the end of a sentence: "; choose ...".
    """
    for name, tensor in wanted.items():
        if name not in given:
            raise ConfigError(f"{source} has no {name}: it is another network{advice}")
        if given[name].shape != tensor.shape:
            shapes = f"{tuple(given[name].shape)}, and {part} takes {tuple(tensor.shape)}"
            raise ConfigError(f"{source}: {name} is {shapes}{advice}")
    if extra := sorted(given.keys() - wanted.keys()):
        raise ConfigError(f"{source} also has {extra[0]}: it is another network{advice}")


def whole_layers(given: Tensors, wanted: Tensors) -> dict[str, Tensor]:
    """The given tensors of layers whose tensors all fit: a weight is useless without its bias."""
    unfit = {
        name.rpartition(".")[0]
        for name, tensor in wanted.items()
        if name not in given or given[name].shape != tensor.shape
    }
    return {name: given[name] for name in wanted if name.rpartition(".")[0] not in unfit}
