"""How a confusion matrix is stored: dense, or for very many classes as a list of nonzero cells."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the report page reads matrices through this module, and needs no torch
    from torch import Tensor

WHOLE = 1000
"""Maximum number of classes for a dense matrix: a million cells."""

Cell = tuple[int, int, int]
"""Truth, prediction, count."""


def counted(label: "Tensor", predicted: "Tensor", size: int) -> dict[str, Any]:
    """``confusion`` [truth][predicted] of labels (N,), or ``cells`` for more than ``WHOLE`` classes."""
    places, counts = (label.long() * size + predicted.long()).unique(return_counts=True)  # type: ignore[no-untyped-call]
    if size > WHOLE:
        triples = zip((places // size).tolist(), (places % size).tolist(), counts.tolist(), strict=True)
        return {"cells": [list(cell) for cell in triples]}
    matrix = places.new_zeros(size * size)
    matrix[places] = counts
    return {"confusion": matrix.view(size, size).tolist()}


def cells(part: Mapping[str, Any]) -> list[Cell]:
    """The nonzero cells of either form.

    >>> cells({"confusion": [[3, 1], [0, 2]]})
    [(0, 0, 3), (0, 1, 1), (1, 1, 2)]
    """
    if "cells" in part:
        return [(truth, guess, count) for truth, guess, count in part["cells"]]
    rows = enumerate(part.get("confusion", ()))
    return [(truth, guess, count) for truth, row in rows for guess, count in enumerate(row) if count]
