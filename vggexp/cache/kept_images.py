"""The images of a run whose boundary of frozen stages moves: each photo is decoded once, whatever stages stand still.

Epochs that train everything read them, and the features of every new boundary are computed from them.
"""

from collections.abc import Mapping
from typing import Any

from torch.utils.data import Dataset

from vggexp.cache.cached_split import CachedSplit
from vggexp.cache.columns import read_once
from vggexp.cache.object_columns import size_of
from vggexp.cache.settings import CacheSettings
from vggexp.sample.loader import Collate, workers_for
from vggexp.sample.reading import Reading
from vggexp.types import Sample


def kept_images(
    source: Dataset[Sample], name: str, data: Mapping[str, Any], settings: CacheSettings, together: Collate
) -> CachedSplit | None:
    """The split in memory, as its transform gives it; None, with a printed line, where it is larger than ``max_gb``.

    Args:
        source, name: the split, whose transform is not random.
        data: the run's data config.
        together: makes a batch of its samples.
    """
    size = bytes_of_images(source)
    text = f"the images of {name}: {len(source):,}, {size / 2**20:,.0f} MiB"  # type: ignore[arg-type]
    if settings.too_large(size):
        print(f"cache: {text}, more than cache.max_gb: decoded in every epoch")
        return None
    print(f"cache: {text}")
    columns = read_once(
        Reading(source, name), range(len(source)), together, lambda batch: batch,  # type: ignore[arg-type]
        batch_size=data["batch_size"], workers=workers_for(data["workers"], source),
    )  # fmt: skip
    return CachedSplit(source, columns, 1)


def bytes_of_images(source: Dataset[Sample]) -> int:
    """What a split takes in memory: its images and its targets."""
    return len(source) * sum(size_of(value) for value in source[0].values())  # type: ignore[arg-type]
