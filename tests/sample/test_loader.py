"""Batches are a pure function of (seed, epoch, place): for any number of workers, processes, and interruptions."""

import pytest
import torch
from torch import Tensor
from torch.utils.data import Dataset

from vggexp.sample.loader import Order, make_loader
from vggexp.types import Sample


class Noisy(Dataset[Sample]):
    """Samples with a random transform."""

    def __len__(self) -> int:
        return 23

    def __getitem__(self, index: int) -> Sample:
        return {"index": torch.tensor(index), "box": torch.rand(4)}


class Pictures(Dataset[Sample]):
    """Images as they are given."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Sample:
        return {"image": self.images[index], "index": torch.tensor(index)}


def epoch(loader: object, number: int) -> list[Tensor]:
    loader.order.set_epoch(number)  # type: ignore[attr-defined]
    return [torch.cat((batch["index"][:, None].float(), batch["box"]), 1) for batch in loader]  # type: ignore[attr-defined]


def equal(a: list[Tensor], b: list[Tensor]) -> bool:
    return len(a) == len(b) and all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_an_epoch_repeats_and_differs_from_the_next() -> None:
    loader = make_loader(Noisy(), 5, 0, seed=1)
    first, second = epoch(loader, 0), epoch(loader, 1)
    torch.rand(100)
    assert equal(epoch(make_loader(Noisy(), 5, 0, seed=1), 1), second)
    assert not equal(first, second)
    assert not equal(epoch(make_loader(Noisy(), 5, 0, seed=2), 0), first)
    assert sorted(torch.cat(first)[:, 0].tolist()) == list(range(23))
    assert len({tuple(row) for row in torch.cat(first)[:, 1:].tolist()}) == 23


def test_the_number_of_workers_changes_nothing() -> None:
    alone, helped = make_loader(Noisy(), 5, 0, seed=1), make_loader(Noisy(), 5, 2, seed=1)
    assert all(equal(epoch(alone, number), epoch(helped, number)) for number in (0, 1, 4))


def test_loading_leaves_the_global_randomness_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    epoch(make_loader(Noisy(), 5, 0, seed=1), 0)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_batch_lies_in_memory_as_its_images_do(workers: int) -> None:
    """Channels last or first; the pixels are those of torch's own collation."""
    for last in (True, False):
        images = torch.arange(4 * 5 * 6 * 3, dtype=torch.uint8).view(4, 5, 6, 3).permute(0, 3, 1, 2)
        images = images if last else images.contiguous()
        pictures = Pictures(images)
        (batch,) = make_loader(pictures, 4, workers, seed=None)
        assert torch.equal(batch["image"], torch.stack(list(images)))
        assert batch["image"].is_contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
        assert batch["index"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("workers", [0, 2])
def test_going_on_in_the_middle(workers: int) -> None:
    whole = epoch(make_loader(Noisy(), 5, workers, seed=1), 3)
    cut = make_loader(Noisy(), 5, workers, seed=1)
    cut.order.set_epoch(3)
    batches = iter(cut)
    next(batches), next(batches)
    resumed = make_loader(Noisy(), 5, workers, seed=1)
    resumed.load_state_dict(cut.state_dict())
    assert equal(epoch(resumed, 3), whole[2:])
    assert resumed.state_dict() == {"epoch": 3, "batch": 5}
    assert len(epoch(resumed, 4)) == 5


@pytest.mark.parametrize("world_size", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 7, 23, 24])
def test_an_evaluation_meets_every_sample_once_on_any_number_of_processes(size: int, world_size: int) -> None:
    orders = [Order(size, 4, None, rank, world_size) for rank in range(world_size)]
    met = [index for order in orders for batch in order for index in batch]
    assert sorted(met) == list(range(size))
    assert [len(list(order)) for order in orders] == [len(order) for order in orders]


@pytest.mark.parametrize("size", [8, 16, 17, 18, 23])
def test_processes_divide_one_processs_batches(size: int) -> None:
    one = list(Order(size, 8, 1))
    shares = [list(Order(size, 4, 1, rank, 2)) for rank in (0, 1)]
    assert len(shares[0]) == len(shares[1])
    for batch, *parts in zip(one, *shares, strict=False):
        assert sorted(batch) == sorted(index for part in parts for index in part)


LABELS = [0] * 15 + [1] * 6 + [2] * 2
"""Of ``Noisy``'s 23 samples."""


@pytest.mark.parametrize("workers", [0, 2])
def test_a_balanced_epoch_is_as_repeatable_as_a_shuffled_one(workers: int) -> None:
    """For any number of workers, and gone on with in the middle."""
    whole = epoch(make_loader(Noisy(), 5, 0, seed=1, labels=LABELS), 3)
    assert equal(epoch(make_loader(Noisy(), 5, workers, seed=1, labels=LABELS), 3), whole)
    cut = make_loader(Noisy(), 5, workers, seed=1, labels=LABELS)
    cut.order.set_epoch(3)
    batches = iter(cut)
    next(batches), next(batches)
    resumed = make_loader(Noisy(), 5, workers, seed=1, labels=LABELS)
    resumed.load_state_dict(cut.state_dict())
    assert equal(epoch(resumed, 3), whole[2:])
    assert not equal(epoch(make_loader(Noisy(), 5, 0, seed=1, labels=LABELS), 4), whole)


def test_a_sample_that_is_drawn_again_is_augmented_anew() -> None:
    """And the first time as in an epoch that draws it once."""
    rows = torch.cat(epoch(make_loader(Noisy(), 5, 0, seed=1, labels=LABELS), 2))
    assert len(rows) == 23
    assert len(set(rows[:, 0].tolist())) < 23
    assert len({tuple(row) for row in rows[:, 1:].tolist()}) == 23
    once = {tuple(row) for row in torch.cat(epoch(make_loader(Noisy(), 5, 0, seed=1), 2)).tolist()}
    assert len(once & {tuple(row) for row in rows.tolist()}) == len(set(rows[:, 0].tolist()))


@pytest.mark.parametrize("size", [16, 17, 18, 23])
def test_processes_divide_one_processs_balanced_batches(size: int) -> None:
    labels = LABELS[-size:]
    one = list(Order(size, 8, 1, labels=labels))
    shares = [list(Order(size, 4, 1, rank, 2, labels)) for rank in (0, 1)]
    assert len(shares[0]) == len(shares[1])
    for batch, *parts in zip(one, *shares, strict=False):
        assert sorted(batch) == sorted(place for part in parts for place in part)


def test_an_evaluation_is_never_balanced() -> None:
    assert [index for batch in Order(23, 4, None, labels=LABELS) for index in batch] == list(range(23))


def test_a_lone_last_sample_is_left_out_of_training_only() -> None:
    assert [len(batch) for batch in Order(9, 4, 1)] == [4, 4]
    assert [len(batch) for batch in Order(9, 4, None)] == [4, 4, 1]
    assert [len(batch) for batch in Order(1, 4, 1)] == [1]


@pytest.mark.parametrize("size", [16, 17, 18, 19, 20, 23])
def test_a_fixed_order_that_is_trained_on_gives_each_process_as_many_batches(size: int) -> None:
    """``trainer.overfit_batches``: DDP would wait for ever for the gradients of a batch that one process lacks."""
    orders = [Order(size, 8, None, rank, 2) for rank in (0, 1)]
    for order in orders:
        order.is_even = True
    first, second = ([len(batch) for batch in order] for order in orders)
    assert len(first) == len(second) == len(orders[0])
    assert min(first + second) >= 2
