"""Batches whose order and augmentation are pure functions of the seed, the epoch and the place in the epoch.

So a run that is resumed within an epoch reads the same batches as the uninterrupted run, with any number of workers.
The processes of one run divide each batch between them.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, default_collate

from vggexp.distributed.processes import num_workers
from vggexp.errors import ConfigError
from vggexp.sample.balance import balanced
from vggexp.types import Batch, ObjectList, Sample

Collate = Callable[[Any], Batch]
Place = tuple[int, ...]
"""(epoch, index) of a sample whose augmentation depends on both; and, if an epoch draws it again, how often before."""


def seed_of(*numbers: int) -> int:
    """A seed below 2^63, derived from numbers such as (seed, epoch, batch); neighbours give unrelated seeds."""
    digest = hashlib.blake2b(repr(numbers).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


class Order:
    """The batches of every epoch: a drawn or the given order, cut into batches, each divided over the processes.

    Args:
        size: samples.
        batch_size: samples of a process in a batch.
        seed: of the shuffle; None keeps the given order, and each sample is drawn exactly once an epoch.
        rank, world_size: this process, of how many.
        labels: of each sample: every class has the same part of a shuffled epoch, see ``balance``; None: each sample
            is drawn once.
    """

    def __init__(
        self,
        size: int,
        batch_size: int,
        seed: int | None,
        rank: int = 0,
        world_size: int = 1,
        labels: Sequence[int] | None = None,
    ) -> None:
        self.size, self.batch_size, self.seed = size, batch_size, seed
        self.rank, self.world_size, self._labels = rank, world_size, labels
        self.epoch = self.start = 0
        self.is_even = seed is not None
        """Whether every process gets as many batches as the others, of two samples or more, as a training needs."""

    @property
    def sampler(self) -> "Order":
        """Lightning calls ``set_epoch`` of this attribute before each epoch."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order the next pass takes."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Batches an epoch, of this process."""
        whole, rest = divmod(self.size, self.batch_size * self.world_size)
        if not self.is_even:
            return whole + (rest > self.rank)
        # Batch normalisation cannot train on one sample with a 1x1 feature map, and DDP cannot train on none.
        return whole + (rest >= 2 * self.world_size or not whole)

    def __iter__(self) -> Iterator[list[Any]]:
        """Indices, or places if shuffled, from batch ``start`` on; the next epoch starts at 0."""
        first, self.start = self.start, 0
        order: Sequence[Any] = range(self.size) if self.seed is None else self._drawn(self.seed)
        together = self.batch_size * self.world_size
        for batch in range(first, len(self)):
            yield list(order[batch * together : (batch + 1) * together][self.rank :: self.world_size])

    def _drawn(self, seed: int) -> list[Place]:
        """The epoch's places."""
        generator = torch.Generator().manual_seed(seed_of(seed, self.epoch))
        if self._labels is None:
            return [(self.epoch, index) for index in torch.randperm(self.size, generator=generator).tolist()]
        drawn = balanced(self._labels, generator)
        return [(self.epoch, index, before) if before else (self.epoch, index) for index, before in drawn]


class Seeded(Dataset[Sample]):
    """A data set whose random transforms depend on the seed and the place alone, not on the worker or on the time."""

    def __init__(self, dataset: Dataset[Sample], seed: int) -> None:
        self._dataset, self._seed = dataset, seed

    def __len__(self) -> int:
        return len(self._dataset)  # type: ignore[arg-type]

    def __getitem__(self, place: Place) -> Sample:
        generator = torch.default_generator
        before = generator.get_state()
        generator.manual_seed(seed_of(self._seed, *place))
        try:
            return self._dataset[place[1]]
        finally:
            generator.set_state(before)


class ResumableLoader(DataLoader[Batch]):
    """A loader whose position can be saved and restored; Lightning calls its ``state_dict``."""

    order: Order
    features: Dataset[Sample] | None = None
    """A split that returns full batches; from the next pass on, it is read instead of the loader's own data set."""
    _given = 0

    def __iter__(self) -> Any:
        """Count batches when they are handed out, because workers load ahead."""
        self._given = self.order.start
        for batch in super().__iter__() if self.features is None else self._of_features(self.features):
            self._given += 1
            yield batch

    def _of_features(self, features: Dataset[Sample]) -> Any:
        return iter(DataLoader(
            features, batch_sampler=self.order, collate_fn=as_it_is, pin_memory=self.pin_memory,
            generator=torch.Generator().manual_seed(0),
        ))  # fmt: skip

    def state_dict(self) -> dict[str, int]:
        """The epoch, and the number of its batches that were handed out."""
        return {"epoch": self.order.epoch, "batch": self._given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue after those batches; after a complete epoch, with the next one."""
        self.order.epoch = state["epoch"]
        self.order.start = state["batch"] % len(self.order)


def make_loader(
    dataset: Dataset[Sample],
    batch_size: int,
    workers: int,
    seed: int | None,
    rank: int = 0,
    world_size: int = 1,
    together: Collate | None = None,
    labels: Sequence[int] | None = None,
    timeout: float = 0,
) -> ResumableLoader:
    """Batches of a data set: shuffled and augmented by a seed, or (None) in the given order, each sample once.

    Args:
        together: collates samples, or checks a batch that the data set made itself; by default ``collate``.
        labels: of each sample, where classes are balanced, see ``Order``.
        timeout: seconds to wait for a batch of the workers; 0: no limit.
    """
    order = Order(len(dataset), batch_size, seed, rank, world_size, labels)  # type: ignore[arg-type]
    is_batched = getattr(dataset, "is_batched", False)  # it looks up whole batches, and knows views by their epoch
    workers = 0 if is_batched else workers
    loader = ResumableLoader(
        dataset if seed is None or is_batched else Seeded(dataset, seed),
        batch_sampler=order,
        collate_fn=together or (as_it_is if is_batched else collate),
        num_workers=workers,
        persistent_workers=workers > 0,
        timeout=timeout if workers else 0,
        pin_memory=torch.cuda.is_available(),
        generator=torch.Generator().manual_seed(0),  # or the loader would draw from the global one
    )
    loader.order = order
    return loader


def workers_for(asked: int | None, dataset: Any) -> int:
    """Loading processes for a data set: as many as ``data.workers`` asks for; None: none for data in memory."""
    if asked is not None:
        return asked
    return 0 if getattr(dataset, "in_memory", False) else num_workers()


def as_it_is(batch: Any) -> Any:
    """Collates what a data set returns that makes its batches itself."""
    return batch


def collate(samples: list[Sample]) -> Batch:
    """Join samples into a batch whose images have the memory layout of the samples, so that none is copied twice.

    Decoders return channels-last images, the layout that the network uses. Objects, any number an image, become a list.

    Raises:
        ConfigError: its images have different sizes.
    """
    _require_one_size(samples)
    rows: list[dict[str, Any]] = [{**sample} for sample in samples]
    objects = ObjectList(row.pop("objects") for row in rows if "objects" in row)
    if len(objects) not in (0, len(rows)):
        raise KeyError("objects")
    last = "image" in rows[0] and rows[0]["image"].stride(0) == 1
    if last:
        rows = [{**row, "image": row["image"].permute(1, 2, 0)} for row in rows]
    batch: Batch = default_collate(rows)
    if last:
        batch["image"] = batch["image"].permute(0, 3, 1, 2)
    if objects:
        batch["objects"] = objects
    return batch


def _require_one_size(samples: list[Sample]) -> None:
    sizes = {(sample["image"].shape[-2], sample["image"].shape[-1]) for sample in samples if "image" in sample}
    if len(sizes) > 1:
        one, other = (f"{height} x {width}" for height, width in sorted(sizes)[:2])
        raise ConfigError(
            f"the images of a batch are {one} and {other} pixels (height x width); let data.train_transform and "
            "data.eval_transform each end at one size: Resize: {size: [height, width]}"
        )
