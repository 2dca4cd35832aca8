"""A fingerprint of a split: it tells whether two evaluations read the same samples.

For files it covers names, sizes and annotations, so photos need not be read. For other data sets it covers the samples
themselves, at most ``SAMPLES`` of them, evenly spread.
"""

import hashlib
from collections.abc import Sized
from typing import Any

import torch
from torch import Tensor

from vggexp.sample.files import Files

SAMPLES = 256


def fingerprint(dataset: Any) -> str:
    """16 hexadecimal digits that do not depend on where the data lie."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update(f"{len(dataset) if isinstance(dataset, Sized) else 0}".encode())
    for text in _of_files(dataset) if isinstance(dataset, Files) else _of_samples(dataset):
        digest.update(text if isinstance(text, bytes) else text.encode())
    return digest.hexdigest()


def _of_files(dataset: Files) -> Any:
    yield str(dataset.reader.facts)
    for index in range(len(dataset)):
        for path in dataset.reader.files(index):
            yield f"{path.name} {path.stat().st_size}\n"


def _of_samples(dataset: Any) -> Any:
    before = torch.default_generator.get_state()
    count = len(dataset)
    for index in range(0, count, max(count // SAMPLES, 1)):
        for name, value in sorted(dataset[index].items()):
            yield name
            yield value.contiguous().numpy().tobytes() if isinstance(value, Tensor) else str(value)
    torch.default_generator.set_state(before)
