"""Rows of many images, joined from batches and processes."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from vggexp.task.diagnostics.rounding import rounded
from vggexp.types import Rows

EACH = 10_000
"""Maximum number of images for a list of every image; a larger split keeps only the other diagnostics."""

Part = tuple[Tensor, Rows]
"""Positions of images in the split, (N,), and their rows."""


def scores(rows: Rows) -> Tensor:
    """(N,): the mean score over the tasks; NaN for an image that a task cannot score."""
    return torch.stack([columns["score"].float() for columns in rows.values()]).mean(0)


def joined(parts: Sequence[Part]) -> Part:
    """Join parts of one split into one part on the CPU, in the split's order."""
    index = torch.cat([index.cpu() for index, _ in parts])
    order = index.argsort()
    rows = {
        kind: {name: _column([rows[kind][name] for _, rows in parts], order) for name in columns}
        for kind, columns in parts[0][1].items()
    }
    return index[order], rows


def _column(values: Sequence[Any], order: Tensor) -> Any:
    """One column of all parts: (N, ...), or a list of one table an image, with a row an object."""
    if isinstance(values[0], list):
        tables = [table.cpu() for part in values for table in part]
        return [tables[place] for place in order.tolist()]
    return torch.cat([one.cpu() for one in values])[order]


def listed(index: Tensor, rows: Rows, diagnostics: Mapping[str, Any]) -> dict[str, Any]:
    """``count`` of images, ``index`` and ``score`` of each (up to ``EACH`` images), and the ``diagnostics`` by task."""
    if len(index) > EACH:
        bare = {
            kind: {name: value for name, value in one.items() if name != "each"} for kind, one in diagnostics.items()
        }
        return {"count": len(index), "diagnostics": bare}
    return {
        "count": len(index),
        "index": index.tolist(),
        "score": rounded(scores(rows)),
        "diagnostics": dict(diagnostics),
    }
