"""The gradient of a layer's weight for each image of a batch, of which a backward pass gives only the sum."""

import torch
from torch import Tensor, nn

CHANNELS = (32, 16)
"""Output and input channels of a layer whose weights count, drawn at random: inner products of gradients are sums over
so many weights that a part of them, scaled, is enough, and computing the rest would take as long as a forward pass."""
AT_ONCE = 8
"""Images whose windows are written out at once: a 3 x 3 convolution's take nine times its input's memory."""
LAYERS = (nn.Conv2d, nn.Linear)
"""Layers whose weights' gradients count; they hold nearly all parameters."""


def counts(layer: nn.Module) -> bool:
    """Whether it is a layer whose weight's gradient is computed: not if it pads or scales in a way of its own."""
    return any(isinstance(layer, kind) and type(layer).forward is kind.forward for kind in LAYERS)


def weight_gradients(layer: nn.Module, x: Tensor, grad: Tensor) -> Tensor:
    """(N, P): the gradient of a layer's weight for each image, of some channels, scaled as if they were all.

    Args:
        layer: a convolution or a linear layer.
        x: its input (N, C, H, W), or (N, ..., C) of a linear layer.
        grad: the gradient of its output.
    """
    if isinstance(layer, nn.Linear):
        x, grad = (one.flatten(1, -2).transpose(1, 2) if one.dim() > 2 else one.unsqueeze(2) for one in (x, grad))
    x, grad, scale = _drawn(x, grad, getattr(layer, "groups", 1))
    if isinstance(layer, nn.Conv2d):
        blocks = [slice(start, start + AT_ONCE) for start in range(0, len(x), AT_ONCE)]
        return torch.cat([_of_convolution(layer, x[block], grad[block]) for block in blocks]) * scale
    return (grad @ x.transpose(1, 2)).flatten(1) * scale


def _of_convolution(layer: nn.Conv2d, x: Tensor, grad: Tensor) -> Tensor:
    padded = nn.functional.pad(x, layer._reversed_padding_repeated_twice)
    columns = nn.functional.unfold(padded, layer.kernel_size, layer.dilation, 0, layer.stride)
    grouped = (one.reshape(len(one), layer.groups, -1, columns.shape[-1]) for one in (grad, columns))
    outputs, inputs = grouped
    return (outputs @ inputs.transpose(2, 3)).flatten(1)


def _drawn(x: Tensor, grad: Tensor, groups: int) -> tuple[Tensor, Tensor, float]:
    """Some channels of a layer's input and of its output's gradient, always the same; all of a grouped layer."""
    if groups > 1:
        return x, grad, 1.0
    draw = torch.Generator().manual_seed(0)
    outputs, inputs = (
        torch.randperm(one.shape[1], generator=draw)[:most].sort().values
        for one, most in zip((grad, x), CHANNELS, strict=True)
    )
    share = len(outputs) * len(inputs) / (grad.shape[1] * x.shape[1])
    return x[:, inputs], grad[:, outputs], share**-0.5
