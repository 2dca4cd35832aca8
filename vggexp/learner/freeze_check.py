"""The freeze checks: hashes of every tensor, and three checks that run after every epoch."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor
from torch.optim import Optimizer

from vggexp.distributed.fsdp import full_tensor
from vggexp.errors import FreezeError
from vggexp.learner.freezing import Freezing

CHUNK = 2**22
"""Chunk size of the hashing, in bytes. Threads hash chunks in parallel: VGG16's dense layers are half a gigabyte."""

Hashes = dict[str, dict[str, str]]
"""Hashes by part of the network, then by tensor name."""


def tensor_hash(tensor: Tensor) -> str:
    """The hash of a tensor: 16 hexadecimal digits, the same for every memory format, device and sharding."""
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        return _begin_hash(tensor, threads)()


def flat(tensor: Tensor) -> Tensor:
    """A tensor's elements in one dimension, in channels-last order: channels-last weights are not copied."""
    return (tensor.movedim(1, -1) if tensor.ndim == 4 else tensor).contiguous().flatten()


def _begin_hash(tensor: Tensor, threads: ThreadPoolExecutor) -> Callable[[], str]:
    """Start hashing a tensor in threads; return a function that waits for the hash and returns it."""
    content = flat(full_tensor(tensor.detach()).cpu()).view(torch.uint8).numpy().data
    if content.nbytes <= CHUNK:
        only = threads.submit(hashlib.sha256, content)
        return lambda: only.result().hexdigest()[:16]
    starts = range(0, content.nbytes, CHUNK)
    pieces = [threads.submit(hashlib.sha256, content[start : start + CHUNK]) for start in starts]
    return lambda: hashlib.sha256(b"".join(piece.result().digest() for piece in pieces)).hexdigest()[:16]


def joint_hash(hashes: Mapping[str, str]) -> str:
    """One hash over several; "" if there are none."""
    return hashlib.blake2b("".join(hashes.values()).encode(), digest_size=8).hexdigest() if hashes else ""


def network_hashes(
    freezing: Freezing, parts: Collection[str] | None = None, skip: Collection[str] = frozenset()
) -> Hashes:
    """The hash of every parameter and every buffer. Under FSDP every process must call this.

    Args:
        parts: hash only these parts, "stage1" to "stage5" and "head"; None: the whole network.
        skip: names of tensors that are left out.
    """
    return hashes_of({
        part: {name: tensor for name, tensor in tensors.items() if name not in skip}
        for part, tensors in freezing.tensors().items()
        if parts is None or part in parts
    })  # fmt: skip


def hashes_of(tensors: Mapping[str, Mapping[str, Tensor]]) -> Hashes:
    """The hash of each of these tensors, by part and by name."""
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        begun = {
            part: {name: _begin_hash(tensor, threads) for name, tensor in named.items()}
            for part, named in tensors.items()
        }
        return {part: {name: finish() for name, finish in hashes.items()} for part, hashes in begun.items()}


def check_frozen(freezing: Freezing, before: Hashes, after: Hashes, epoch: int) -> None:
    """Raise FreezeError with the name of the first tensor that was frozen in an epoch and changed during it."""
    frozen = freezing.frozen_tensors(epoch)
    for part, hashes in after.items():
        for name, value in hashes.items():
            if name in frozen and before[part][name] != value:
                raise FreezeError(f"{name} was frozen in epoch {epoch}, but its value changed")


def check_groups(freezing: Freezing, optimizer: Optimizer, epoch: int) -> None:
    """Raise FreezeError if a trainable tensor is not in exactly one optimizer group, or a frozen one has a gradient."""
    members = Counter(id(parameter) for group in optimizer.param_groups for parameter in group["params"])
    for factor, (info, parameter) in zip(freezing.factors(epoch), freezing.parameters, strict=True):
        groups = members[id(parameter)]
        if factor == 0 and (parameter.requires_grad or parameter.grad is not None or groups > 1):
            raise FreezeError(f"{info.name} was frozen in epoch {epoch}, but it has a gradient")
        if factor and (groups != 1 or not parameter.requires_grad):
            raise FreezeError(
                f"{info.name} was trainable in epoch {epoch}, but it is in {groups} optimizer groups "
                f"and requires_grad={parameter.requires_grad}"
            )


def check_ranks(sums: Mapping[str, list[int]], epoch: int) -> None:
    """Raise FreezeError with the first part whose weights differ between ranks; ``sums`` has one checksum per rank."""
    for part, numbers in sums.items():
        if len(set(numbers)) > 1:
            raise FreezeError(f"after epoch {epoch} the ranks of this run hold different weights in {part}")
