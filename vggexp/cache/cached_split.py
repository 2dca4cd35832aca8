"""A split in memory: its features or its images, and its targets."""

from collections.abc import Mapping
from typing import Any

import torch
from torch.utils.data import Dataset

from vggexp.cache.columns import PIXELS
from vggexp.types import Batch, Sample


class CachedSplit(Dataset[Sample]):
    """A split's features or images, and its targets: one tensor per key, view after view. It returns full batches.

    Args:
        source: the split that they were computed from.
        columns: tensors (views * N, ...), and ``objects``, a list of as many; maps are channels-last.
    """

    is_batched = True

    def __init__(self, source: Dataset[Sample], columns: Mapping[str, Any], views: int) -> None:
        self.source, self._columns, self._views = source, columns, views

    def __len__(self) -> int:
        return len(self.source)  # type: ignore[arg-type]

    def __getitems__(self, places: list[Any]) -> Batch:
        """The batch of these indices or places (``loader.Place``).

        In epoch e a sample is in view e modulo the number of views; if the epoch draws it again, in the next one.
        """
        whole = [place if isinstance(place, tuple) else (0, place) for place in places]
        rows = torch.tensor(
            [(epoch + sum(before)) % self._views * len(self) + index for epoch, index, *before in whole]
        )
        batch: Any = {name: column[rows] for name, column in self._columns.items()}
        for name in batch.keys() & PIXELS:
            batch[name] = batch[name].permute(0, 3, 1, 2)  # a view, so the memory layout stays channels-last
        return batch  # type: ignore[no-any-return]

    def targets(self) -> "CachedSplit":
        """The same samples without features, to read the targets only."""
        others = {name: column for name, column in self._columns.items() if name not in PIXELS}
        return CachedSplit(self.source, others, self._views)
