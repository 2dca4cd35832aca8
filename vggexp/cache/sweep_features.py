"""Features that the jobs of a sweep share while one process runs them one after another."""

from collections.abc import Mapping
from typing import Any

Columns = Mapping[str, Any]


class SweepFeatures:
    """The features that the last job used, one set a split; a job that needs others drops them first.

    So a sweep holds as many features as one of its runs does.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, Columns]] = {}

    def find(self, split: str, key: str) -> Columns | None:
        """The split's features if their key is this one; otherwise None, and what was kept of the split is dropped.

        Args:
            key: a hash of all that the features depend on.
        """
        found = self._kept.get(split)
        if found is not None and found[0] == key:
            return found[1]
        self._kept.pop(split, None)
        return None

    def keep(self, split: str, key: str, columns: Columns) -> None:
        """Keep a split's features for the next job."""
        self._kept[split] = (key, columns)

    def clear(self) -> None:
        """Drop all of them."""
        self._kept.clear()
