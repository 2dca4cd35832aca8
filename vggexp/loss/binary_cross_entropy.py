"""Binary cross-entropy: one sigmoid for each class, for images that show several classes."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vggexp.errors import ConfigError, require_weights
from vggexp.types import VOID


class BinaryCrossEntropy(nn.Module):
    """Sigmoid cross-entropy, averaged over images and classes.

    Args:
        pos_weight: the factor of each class's positives, 0 or more and not all 0; ``"balanced"`` for negatives over
            positives of the training images, so that both count as much; ``None`` for 1.
    """

    weight: Tensor | None

    def __init__(self, pos_weight: Literal["balanced"] | Sequence[float] | None = None):
        super().__init__()
        if isinstance(pos_weight, str) and pos_weight != "balanced":
            raise ConfigError(f"loss.pos_weight is '{pos_weight}'; use balanced, a list of numbers or null")
        if pos_weight is not None and not isinstance(pos_weight, str):
            require_weights("loss.pos_weight", pos_weight)
        self.balanced = pos_weight == "balanced"
        # Not in the state dict, as in cross_entropy: it follows from the config, or from the task's counts.
        fixed = None if pos_weight is None or self.balanced else torch.tensor([float(w) for w in pos_weight])
        self.register_buffer("weight", fixed, persistent=False)

    def set_class_frequency(self, frequency: Tensor) -> None:
        """Set the share of the images that show each class, (C,), positive; only ``balanced`` uses it."""
        if self.balanced:
            self.weight = balanced_weight(frequency)

    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Mean loss of logits (N, C) with labels (N, C), 0 or 1; VOID counts nothing."""
        if self.balanced and self.weight is None:
            raise ConfigError(
                "loss.pos_weight=balanced needs the training targets observed first; train with baseline=true"
            )
        if self.weight is not None and len(self.weight) != outputs.shape[1]:
            raise ConfigError(f"loss.pos_weight has {len(self.weight)} numbers for {outputs.shape[1]} classes")
        known = (target != VOID).float()
        total = functional.binary_cross_entropy_with_logits(
            outputs.float(), target.float() * known, known, pos_weight=self.weight, reduction="sum"
        )
        return total / known.sum().clamp(min=1)


def balanced_weight(frequency: Tensor) -> Tensor:
    """Weights (1 - frequency) / frequency: (C,) to (C,), float32; 1 for a class that every image shows.

    >>> balanced_weight(torch.tensor([0.5, 0.25, 1.0]))
    tensor([1., 3., 1.])
    """
    frequency = frequency.double()
    weight = (1 - frequency) / frequency
    return weight.where(weight > 0, 1.0).float()
