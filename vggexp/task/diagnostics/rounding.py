"""Rounding of numbers for files."""

from typing import Any

from torch import Tensor


def rounded(values: Tensor) -> Any:
    """The values rounded to four decimals, enough for a figure, as lists nested like the tensor."""
    return values.cpu().double().mul(1e4).round().div(1e4).tolist()
