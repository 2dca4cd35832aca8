"""A padded convolution that is right on maps smaller than its kernel's reach, too, and puts itself into any network."""

from torch import Tensor, nn


class Convolution(nn.Conv2d):
    """``nn.Conv2d`` with a padding of at least 1: (N, incoming, h, w) to (N, outgoing, h', w').

    Some weights of a large kernel on a small map see the padding alone: their gradient is zero. In bfloat16 on a CPU,
    torch 2.15 leaves memory there that it never wrote: found for 3x3 with stride 2 on one cell, 5x5 on one cell and 7x7
    on one or two. Such a map is therefore padded by more zeros at its end, which changes no result.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The convolution, as if the map were as large as needed."""
        assert isinstance(self.padding, tuple)  # ``guard`` leaves out those with a word, such as "same"
        sides, pads = tuple(x.shape[-2:]), self.padding
        lacking = [max(pad + 1 - side, 0) for side, pad in zip(sides, pads, strict=True)]
        if not any(lacking):
            return super().forward(x)
        reach = [(kernel - 1) * apart + 1 for kernel, apart in zip(self.kernel_size, self.dilation, strict=True)]
        height, width = (
            (side + 2 * pad - wide) // stride + 1
            for side, pad, wide, stride in zip(sides, pads, reach, self.stride, strict=True)
        )
        more = nn.functional.pad(x, (0, lacking[1], 0, lacking[0]))
        return super().forward(more)[..., :height, :width]


def guard(network: nn.Module) -> None:
    """Make a ``Convolution`` of every plain padded convolution in a network; its weights and their names stay."""
    for layer in network.modules():
        if type(layer) is not nn.Conv2d or layer.padding_mode != "zeros" or not isinstance(layer.padding, tuple):
            continue
        if any(layer.padding):
            layer.__class__ = Convolution
