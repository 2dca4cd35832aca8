"""Normalisation of images by the mean and standard deviation that the weights were trained with."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Normalized(nn.Module):
    """A backbone with ``mean`` and ``std`` of the channels, for pixels scaled to 0..1; no checkpoint holds them."""

    mean: Tensor
    std: Tensor

    def set_normalization(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Register both as (1, 3, 1, 1) buffers, which move with the backbone."""
        for name, values in (("mean", mean), ("std", std)):
            self.register_buffer(
                name, torch.tensor([float(value) for value in values]).view(1, 3, 1, 1), persistent=False
            )

    def normalize(self, images: Tensor) -> Tensor:
        """uint8 images (N, 3, H, W) to floats, normalised by ``mean`` and ``std``."""
        floats = images.to(self.mean.dtype, copy=True)
        mean, std = (_as_wide(values, images) for values in (self.mean, self.std))
        return floats.div_(255).sub_(mean).div_(std)


def _as_wide(values: Tensor, images: Tensor) -> Tensor:
    """(1, 3, 1, 1) values; for channels-last images repeated over a row.

    torch broadcasts three channel values one number at a time but vectorises over a row: a tenth of the time on a
    CPU.
    """
    if torch.compiler.is_compiling() or not images.is_contiguous(memory_format=torch.channels_last):
        return values
    return values.expand(1, -1, 1, images.shape[-1]).contiguous(memory_format=torch.channels_last)
