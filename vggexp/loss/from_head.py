"""The losses of a head that computes them itself, because they depend on what it found: their weighted sum."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from vggexp.errors import ConfigError, did_you_mean, require_weights


class FromHead(nn.Module):
    """Adds up a head's losses.

    Args:
        weights: factors on some of the losses, by name, such as {box: 2.0}; the others count once.

    Raises:
        ConfigError: a weight is negative.
    """

    def __init__(self, weights: Mapping[str, float] | None = None):
        super().__init__()
        self.weights = dict(weights or {})
        if self.weights:
            require_weights("loss.weights", list(self.weights.values()))

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum of scalar losses, float32.

        Raises:
            ConfigError: a weight is for none of them.
        """
        for name in self.weights:
            if name not in losses:
                raise ConfigError(f"loss.weights.{name}: the head has no such loss{did_you_mean(name, losses)}")
        return torch.stack([self.weights.get(name, 1.0) * loss.float() for name, loss in losses.items()]).sum()
