"""The theoretical receptive field: which pixels of the image a cell of a feature map can depend on.

The recursion over the layers of Araujo et al., "Computing Receptive Fields of Convolutional Neural Networks", Distill
2019, section "The single-path case". The pixels that matter most are fewer, near its centre (Luo et al., arXiv
1701.04128).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import nn

_POINTWISE = (
    nn.ReLU,
    nn.modules.batchnorm._BatchNorm,
    nn.modules.dropout._DropoutNd,
    nn.LocalResponseNorm,
    nn.Identity,
)
_WINDOWS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)


@dataclass(frozen=True)
class Field:
    """The receptive field of a map's cells, along one side; all in pixels of the network's image."""

    size: int
    jump: int
    """The distance of neighbouring cells' fields."""
    start: float
    """The centre of the first cell's field, where pixel 0 has its centre at 0."""

    def edges(self, cell: int) -> tuple[float, float]:
        """The first and the last edge of a cell's field, in pixels; beyond the image where it is padded.

        >>> Field(size=3, jump=1, start=0.0).edges(0)
        (-1.0, 2.0)
        """
        centre = self.start + cell * self.jump
        return centre - (self.size - 1) / 2, centre + (self.size + 1) / 2


def receptive_fields(stages: Sequence[nn.Module]) -> list[Field]:
    """The field of each stage's cells, after its pooling.

    Raises:
        ValueError: the stages are no chain of convolutions, poolings and layers without a window.
    """
    size, jump, start = 1, 1, 0.0
    found = []
    for stage in stages:
        for layer in _layers(stage):
            if isinstance(layer, _POINTWISE):
                continue
            if not isinstance(layer, _WINDOWS):
                raise ValueError(f"{type(layer).__name__} is no convolution or pooling of a chain")
            kernel, stride, padding, dilation = (_side(getattr(layer, name, 1)) for name in
                                                 ("kernel_size", "stride", "padding", "dilation"))  # fmt: skip
            reach = (kernel - 1) * dilation
            start += (reach / 2 - padding) * jump
            size += reach * jump
            jump *= stride
        found.append(Field(size, jump, start))
    return found


def _layers(module: nn.Module) -> Iterator[nn.Module]:
    if isinstance(module, nn.Sequential):
        for child in module:
            yield from _layers(child)
    else:
        yield module


def _side(value: object) -> int:
    sides = value if isinstance(value, tuple) else (value, value)
    if sides[0] != sides[1] or not isinstance(sides[0], int):
        raise ValueError(f"a window of {value} is not square")
    return sides[0]
