"""Reads samples of a data set, perhaps the user's own; an error names sample and split in one line."""

from typing import Any

from torch.utils.data import Dataset

from vggexp.errors import DataError, UserError, kind_and_line
from vggexp.types import Sample


class Reading(Dataset[Sample]):
    """The samples of a data set, read as a loader reads them, in this process or in one of its own.

    Args:
        dataset: read through its ``__getitems__`` if it has that method.
        split: its name, for the messages.
    """

    def __init__(self, dataset: Any, split: str) -> None:
        self._dataset, self._split = dataset, split

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        many = getattr(self._dataset, "__getitems__", None)
        try:
            sample: Sample = self._dataset[index] if many is None else many([index])[0]
        except UserError:
            raise
        except Exception as error:
            raise DataError(
                f"sample {index} of {self._split}, which has {len(self)}, cannot be read: {kind_and_line(error)}; "
                "debug=true shows where"
            ) from error
        return sample

    def __getitems__(self, indices: list[int]) -> list[Sample]:
        many = getattr(self._dataset, "__getitems__", None)
        try:
            return [self[index] for index in indices] if many is None else many(indices)
        except UserError:
            raise
        except Exception:  # read one by one, to find which sample fails
            return [self[index] for index in indices]
