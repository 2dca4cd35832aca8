"""A class-balanced training order, and the labels that it needs."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor

from vggexp.errors import DataError


def balanced(labels: Sequence[int], generator: Generator) -> list[tuple[int, int]]:
    """One draw per sample, the same number from each class: (index, how often this sample was drawn before).

    If the draws cannot be divided evenly, it is drawn which classes get one more. A class with fewer samples than
    draws gives all of them before it gives one again; a class with more gives some of them, each once.

    >>> draws = balanced([0, 0, 0, 0, 0, 1], Generator().manual_seed(0))
    >>> len({index for index, _ in draws} - {5}), sorted(draw for draw in draws if draw[0] == 5)
    (3, [(5, 0), (5, 1), (5, 2)])
    """
    labelled = torch.tensor(labels)
    classes = sorted(set(labels))
    least, rest = divmod(len(labels), len(classes))
    favoured = set(torch.randperm(len(classes), generator=generator)[:rest].tolist())
    rows = [
        _drawn((labelled == label).nonzero()[:, 0], least + (place in favoured), generator)
        for place, label in enumerate(classes)
    ]
    whole = torch.cat(rows)[torch.randperm(len(labels), generator=generator)]
    return [(index, before) for index, before in whole.tolist()]


def _drawn(samples: Tensor, count: int, generator: Generator) -> Tensor:
    """(count, 2): a class's samples in one random order after another, and the number of each one's order."""
    rounds = range(-(-count // len(samples)))
    orders = [samples[torch.randperm(len(samples), generator=generator)] for _ in rounds]
    numbers = torch.arange(len(rounds)).repeat_interleave(len(samples))
    return torch.stack([torch.cat([samples[:0], *orders]), numbers], 1)[:count]


def labels_of(dataset: Any) -> list[int]:
    """The label of each sample: from the data set's list ``labels`` if it has one, otherwise read from its samples.

    Raises:
        DataError: a sample has no label.
    """
    known = getattr(dataset, "labels", None)
    if known is not None:
        return [int(label) for label in known]
    found = []
    for index in range(len(dataset)):
        many = getattr(dataset, "__getitems__", None)
        sample = dataset[index] if many is None else many([index])[0]
        if "label" not in sample:
            raise DataError(f"data.sampling=balanced: sample {index} of train has no label; use data.sampling=shuffle")
        found.append(int(sample["label"]))
    return found
