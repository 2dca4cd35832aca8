"""A confusion matrix as it is stored: whole, or of very many classes only the cells that hold something."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

WHOLE = 1000
"""Classes whose matrix is stored whole, at most: a million cells."""

Cell = tuple[int, int, int]
"""Truth, prediction, count."""


def counted(label: Tensor, predicted: Tensor, size: int) -> dict[str, Any]:
    """``confusion`` [truth][predicted] of labels (N,); of more than ``WHOLE`` classes ``cells``, the full ones."""
    places, counts = (label.long() * size + predicted.long()).unique(return_counts=True)  # type: ignore[no-untyped-call]
    if size > WHOLE:
        triples = zip((places // size).tolist(), (places % size).tolist(), counts.tolist(), strict=True)
        return {"cells": [list(cell) for cell in triples]}
    matrix = places.new_zeros(size * size)
    matrix[places] = counts
    return {"confusion": matrix.view(size, size).tolist()}


def cells(part: Mapping[str, Any]) -> list[Cell]:
    """The cells that hold something, of either form.

    >>> cells({"confusion": [[3, 1], [0, 2]]})
    [(0, 0, 3), (0, 1, 1), (1, 1, 2)]
    """
    if "cells" in part:
        return [(truth, guess, count) for truth, guess, count in part["cells"]]
    rows = enumerate(part.get("confusion", ()))
    return [(truth, guess, count) for truth, row in rows for guess, count in enumerate(row) if count]
