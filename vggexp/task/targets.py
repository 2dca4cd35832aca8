"""Checks of the training targets as a whole, and class frequencies for the loss.

Each sample's own targets are checked before, by ``sample/contract.py``.
"""

import sys
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from vggexp.distributed.processes import place_in_run
from vggexp.errors import DataError


@runtime_checkable
class Balanced(Protocol):
    """A loss that can weight classes by their frequency."""

    balanced: bool
    """Whether it does."""

    def set_class_frequency(self, frequency: Tensor) -> None:
        """Set each class's frequency, (C,), positive."""


def tell_absent(loss: nn.Module, count: Tensor, classes: Sequence[str], what: str) -> None:
    """Print which classes never occur; ``count`` (C,), not all 0, holds the occurrences of each class.

    Raises:
        DataError: the loss weights classes by their frequency, which then is 0.
    """
    missing = [f"'{name}'" for name, number in zip(classes, count.tolist(), strict=True) if not number]
    if not missing:
        return
    subject = f"{what} {missing[0]} never occurs" if len(missing) == 1 else f"{what}es {', '.join(missing)} never occur"
    if isinstance(loss, Balanced) and loss.balanced:
        raise DataError(f"{subject} in the training split, so the loss cannot balance it; leave it out of data.classes")
    if place_in_run()[0] == 0:
        print(f"vggexp: data: {subject} in the training split", file=sys.stderr)


def balance(loss: nn.Module, frequency: Tensor) -> None:
    """Pass each class's frequency (C,) to a loss that balances classes."""
    if isinstance(loss, Balanced) and loss.balanced:
        loss.set_class_frequency(frequency)
