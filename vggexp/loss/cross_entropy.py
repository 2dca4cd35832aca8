"""Cross-entropy over classes, of whole images or of pixels, with class balancing.

Median-frequency balancing is Eigen & Fergus' (arXiv 1411.4734, section 6), which SegNet used on CamVid.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from vggexp.errors import ConfigError, require_weights
from vggexp.types import VOID

Balance = Literal["median_frequency", "sqrt_median_frequency"]


class CrossEntropy(nn.Module):
    """Softmax cross-entropy, averaged over the labelled images or pixels.

    Args:
        label_smoothing: share of the target's probability that is spread over all classes, 0 to 1.
        class_weight: one weight per class, 0 or more and not all 0; ``"median_frequency"`` for weights from the
            training targets that make rare classes count as much as common ones, ``"sqrt_median_frequency"`` for their
            square roots, between those and equal weights; ``None`` for equal weights.
    """

    weight: Tensor | None

    def __init__(
        self,
        label_smoothing: float = 0.0,
        class_weight: Balance | Sequence[float] | None = None,
    ):
        super().__init__()
        if not 0 <= label_smoothing <= 1:
            raise ConfigError(f"loss.label_smoothing is {label_smoothing}; it is a share, 0 to 1")
        if isinstance(class_weight, str) and class_weight not in get_args(Balance):
            words = ", ".join(get_args(Balance))
            raise ConfigError(f"loss.class_weight is '{class_weight}'; use {words}, a list of numbers or null")
        if class_weight is not None and not isinstance(class_weight, str):
            require_weights("loss.class_weight", class_weight)
        self.label_smoothing = label_smoothing
        self.balance = class_weight if isinstance(class_weight, str) else None
        self.balanced = self.balance is not None
        # Not in the state dict: a list comes from the config, and balanced weights follow from the counts, which are in
        # the task's state dict. Also, the number of classes is unknown until the data set is open.
        numbers = None if class_weight is None or isinstance(class_weight, str) else [float(w) for w in class_weight]
        fixed = None if numbers is None else torch.tensor(numbers)
        self.register_buffer("weight", fixed, persistent=False)

    def set_class_frequency(self, frequency: Tensor) -> None:
        """Set each class's frequency, (C,), positive; only median-frequency balancing uses it."""
        if self.balance:
            weight = median_frequency(frequency)
            self.weight = weight.sqrt() if self.balance == "sqrt_median_frequency" else weight

    def forward(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Mean loss of logits (N, C) with labels (N,), or of (N, C, H, W) with masks (N, H, W).

        The loss ignores VOID pixels; a batch of only VOID has loss 0 and zero gradients. VOID applies to masks only:
        as the label of an image, 255 is an ordinary class.
        """
        outputs, target = outputs.float(), target.long()
        if outputs.ndim > 2:
            target = target.masked_fill(target == VOID, -100)
        weight = self._checked_weight(outputs.shape[1])
        total = functional.cross_entropy(
            outputs, target, weight, reduction="sum", ignore_index=-100, label_smoothing=self.label_smoothing
        )
        # torch's own mean would be 0 / 0 on a batch of only VOID. This is the same denominator, kept above 0.
        counted = target != -100
        share = counted.float() if weight is None else weight[target.where(counted, 0)] * counted
        size = share.sum()
        return total / size.where(size > 0, 1)

    def _checked_weight(self, num_classes: int) -> Tensor | None:
        if self.balance and self.weight is None:
            raise ConfigError(
                f"loss.class_weight={self.balance} needs the training targets observed first; train with baseline=true"
            )
        if self.weight is not None and len(self.weight) != num_classes:
            raise ConfigError(f"loss.class_weight has {len(self.weight)} numbers for {num_classes} classes")
        return self.weight


def median_frequency(frequency: Tensor) -> Tensor:
    """Weights median(frequency) / frequency: (C,) to (C,), float32.

    The frequency of a class is its pixels over all pixels of the images it occurs in.

    >>> median_frequency(torch.tensor([0.5, 0.25, 0.125]))
    tensor([0.5000, 1.0000, 2.0000])
    """
    frequency = frequency.double()
    return (frequency.quantile(0.5) / frequency).float()
