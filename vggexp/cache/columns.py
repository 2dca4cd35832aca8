"""Reads a split once and keeps what it gives, one tensor for each key of its batches."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from vggexp.errors import ConfigError
from vggexp.sample.loader import Collate
from vggexp.types import Batch, ObjectList, Sample

PIXELS = ("image", "feature")
"""Keys of maps (N, C, H, W), which are kept as (N, H, W, C): the layout that networks use."""


@torch.inference_mode()
def read_once(
    dataset: Dataset[Sample],
    places: Sequence[Any],
    together: Collate,
    change: Callable[[Batch], Mapping[str, Any]],
    *,
    batch_size: int,
    workers: int,
) -> dict[str, Any]:
    """Tensors (len(places), ...), and ``objects``, a list of as many.

    Args:
        places: what to ask the data set for, in this order.
        together: makes a batch of the data set's samples.
        change: what to keep of a batch.

    Raises:
        ConfigError: its images have different sizes, in batches of one.
    """
    loader = DataLoader(
        dataset, batch_size, sampler=places, num_workers=workers, collate_fn=together,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    columns: dict[str, Any] = {}
    row = 0
    for batch in loader:
        for name, value in change(batch).items():
            if isinstance(value, ObjectList):
                columns.setdefault(name, ObjectList()).extend(value)
                continue
            rows = value.permute(0, 2, 3, 1) if name in PIXELS else value
            if name not in columns:
                columns[name] = torch.empty((len(places), *rows.shape[1:]), dtype=rows.dtype)
            elif name in PIXELS and columns[name].shape[1:] != rows.shape[1:]:
                raise ConfigError(
                    "the cache keeps images of one size, and data.train_transform or eval_transform gives several; "
                    "give cache=off, or let each end in Resize: {size: [height, width]}"
                )
            columns[name][row : row + len(rows)] = rows
        row += len(batch["index"])
    return columns
