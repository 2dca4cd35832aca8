"""A convolution that halves a map, which is right on a map of one cell too."""

from torch import Tensor, nn


class Halving(nn.Conv2d):
    """3x3, stride 2, padded: (N, incoming, h, w) to (N, outgoing, ceil(h / 2), ceil(w / 2)).

    On a map of one cell, torch 2.15 on a CPU leaves memory that it never wrote in the bfloat16 gradient of the weights
    that see the padding alone. Such a map is therefore padded by a zero more, which changes no result.
    """

    def __init__(self, incoming: int, outgoing: int) -> None:
        super().__init__(incoming, outgoing, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """The half map."""
        height, width = x.shape[-2:]
        if height == 1 or width == 1:
            x = nn.functional.pad(x, (0, int(width == 1), 0, int(height == 1)))
        return super().forward(x)
