"""Checks of the training targets as a whole, and class frequencies for the loss.

Each sample's own targets are checked before, by ``sample/contract.py``.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from vggexp.errors import DataError


@runtime_checkable
class Balanced(Protocol):
    """A loss that can weight classes by their frequency."""

    def set_class_frequency(self, frequency: Tensor) -> None:
        """Set each class's frequency, (C,), positive."""


def check_occurring(count: Tensor, classes: Sequence[str], what: str) -> None:
    """DataError if a class never occurs; ``count`` (C,), not all 0, holds the occurrences of each class."""
    missing = [f"'{name}'" for name, number in zip(classes, count.tolist(), strict=True) if not number]
    if missing:
        subject = (
            f"{what} {missing[0]} never occurs" if len(missing) == 1 else f"{what}es {', '.join(missing)} never occur"
        )
        raise DataError(f"{subject} in the training split; use more data, split it differently or remove the class")


def balance(loss: nn.Module, frequency: Tensor) -> None:
    """Pass each class's frequency (C,) to a loss that balances classes."""
    if isinstance(loss, Balanced):
        loss.set_class_frequency(frequency)
