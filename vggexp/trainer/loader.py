"""Builds the loaders of a run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch.utils.data import Dataset

from vggexp.distributed.processes import place_in_run
from vggexp.sample.contract import Contract
from vggexp.sample.loader import ResumableLoader, make_loader, workers_for
from vggexp.sample.reading import Reading
from vggexp.types import Batch, Sample

Config = Mapping[str, Any]


def build_loader(
    config: Config,
    dataset: Dataset[Sample],
    *,
    shuffle: bool = False,
    shared: bool = True,
    contract: Contract | None = None,
    labels: Sequence[int] | None = None,
) -> ResumableLoader:
    """A loader over a split. The seed and the epoch determine the order and the augmentation.

    Args:
        shared: true: each process of the run gets a part of the batches; false: each process gets all of them.
        contract: what the samples must be. Of shuffled ones, which were looked at in their order, only a sample that
            does not go into a batch is named.
        labels: of each sample: every class has the same part of a shuffled epoch; None: each sample is
            drawn once.
    """
    workers = workers_for(config["data"]["workers"], dataset)
    seed = config["seed"] if shuffle else None
    together: Callable[[Any], Batch] | None = contract
    if contract is not None and not getattr(dataset, "is_batched", False):
        together = contract.together if shuffle else contract
        dataset = Reading(dataset, contract.split)
    elif shuffle:
        together = None
    place = place_in_run() if shared else (0, 1)
    return make_loader(
        dataset,
        config["data"]["batch_size"],
        workers,
        seed,
        *place,
        together=together,
        labels=labels,
        timeout=config["data"].get("timeout", 0),  # configs of older runs lack the key
    )
