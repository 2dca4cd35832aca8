"""Numbers as they stand in files."""

from typing import Any

from torch import Tensor


def rounded(values: Tensor) -> Any:
    """Four digits after the point, enough for a figure, in lists nested as deep as the tensor."""
    return values.double().mul(1e4).round().div(1e4).tolist()
