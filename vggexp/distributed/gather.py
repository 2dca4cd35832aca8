"""Values of any kind from all processes of a run: what tensors of equal shapes cannot carry."""

from typing import Any, TypeVar

from torch import distributed

T = TypeVar("T")


def gathered(value: T) -> list[T]:
    """The values of all ranks, in rank order; every rank must call this."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return [value]
    values: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(values, value)
    return values
