"""Checks of the training targets, and class frequencies for the loss."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from vggexp.errors import DataError
from vggexp.types import Batch


@runtime_checkable
class Balanced(Protocol):
    """A loss that can weight classes by their frequency."""

    def set_class_frequency(self, frequency: Tensor) -> None:
        """Set each class's frequency, (C,), positive."""


def check_known(wrong: Tensor, labels: Tensor, classes: Sequence[str], what: str, batch: Batch) -> None:
    """DataError if any of the N samples is ``wrong`` (bool, (N,)); ``labels`` (N,) holds the labels for the message."""
    if not wrong.any():
        return
    place = int(wrong.int().argmax())
    sample = f"sample {int(batch['index'][place])}" if "index" in batch else f"sample {place} of a batch"
    raise DataError(
        f"{sample} of the training split has {what} {int(labels[place])}, but the data set names {len(classes)} "
        f"classes, 0 to {len(classes) - 1}; correct its annotation or add the class's name"
    )


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
