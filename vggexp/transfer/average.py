"""Weighted means of networks' weights: points between two runs (``compare``), and averages of several (``soup``)."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

State = Mapping[str, Tensor]


def weighted(states: Sequence[State], shares: Sequence[float]) -> dict[str, Tensor]:
    """The sum of the states' floating-point tensors, each times its share; other tensors are the first state's.

    Computed in float64, so that equal states give the same state, to rounding of one step.

    >>> weighted([{"w": torch.tensor([0.0])}, {"w": torch.tensor([4.0])}], [0.25, 0.75])
    {'w': tensor([3.])}
    """
    mixed = {}
    for name, first in states[0].items():
        if not first.is_floating_point():
            mixed[name] = first.clone()
            continue
        whole = sum((share * state[name].double() for state, share in zip(states, shares, strict=True)),
                    torch.zeros((), dtype=torch.float64))  # fmt: skip
        mixed[name] = whole.to(first.dtype)
    return mixed


def mismatch(first: State, second: State) -> str:
    """What hinders a mean of two states: the first tensor that only one has, or that has two shapes; "" if none."""
    for name in dict.fromkeys((*first, *second)):
        if name not in first or name not in second:
            return f"only one of them has {name}"
        if first[name].shape != second[name].shape:
            return f"{name} is {_sides(first[name])} in one and {_sides(second[name])} in the other"
    return ""


def _sides(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a number"
