"""What shows that frozen was frozen: hashes of every tensor, and three statements about an epoch that must hold."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor
from torch.optim import Optimizer

from vggexp.distributed.fsdp import whole
from vggexp.errors import FreezeError
from vggexp.learner.freezing import Freezing

PIECE = 2**22
"""Bytes that a thread hashes at a time: VGG16's dense layers are half a gigabyte, after every epoch."""

Hashes = dict[str, dict[str, str]]
"""Part to tensor's name to hash."""


def tensor_hash(tensor: Tensor) -> str:
    """16 hexadecimal digits that depend on a tensor's every bit, and not on its memory format, device or division."""
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        return _begin_hash(tensor, threads)()


def flat(tensor: Tensor) -> Tensor:
    """A tensor's numbers in one dimension, as channels_last has them: so a convolution's usual weights need no copy."""
    return (tensor.movedim(1, -1) if tensor.ndim == 4 else tensor).contiguous().flatten()


def _begin_hash(tensor: Tensor, threads: ThreadPoolExecutor) -> Callable[[], str]:
    """Hand a tensor's bytes to threads; what gives its hash, once they are through."""
    content = flat(whole(tensor.detach()).cpu()).view(torch.uint8).numpy().data
    if content.nbytes <= PIECE:
        only = threads.submit(hashlib.sha256, content)
        return lambda: only.result().hexdigest()[:16]
    starts = range(0, content.nbytes, PIECE)
    pieces = [threads.submit(hashlib.sha256, content[start : start + PIECE]) for start in starts]
    return lambda: hashlib.sha256(b"".join(piece.result().digest() for piece in pieces)).hexdigest()[:16]


def joint_hash(hashes: Mapping[str, str]) -> str:
    """One hash of many; "" of none."""
    return hashlib.blake2b("".join(hashes.values()).encode(), digest_size=8).hexdigest() if hashes else ""


def network_hashes(freezing: Freezing, parts: Collection[str] | None = None) -> Hashes:
    """The hash of every parameter and every buffer; of what is divided, every process must ask.

    Args:
        parts: of these alone, "stage1" to "stage5" and "head"; None: of the whole network.
    """
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        begun = {
            part: {name: _begin_hash(tensor, threads) for name, tensor in tensors.items()}
            for part, tensors in freezing.tensors().items()
            if parts is None or part in parts
        }
        return {part: {name: finish() for name, finish in hashes.items()} for part, hashes in begun.items()}


def prove_still(freezing: Freezing, before: Hashes, after: Hashes, epoch: int) -> None:
    """FreezeError with the name of the first tensor that was frozen in an epoch and is not bit-identical after it."""
    frozen = freezing.frozen_tensors(epoch)
    for part, hashes in after.items():
        for name, value in hashes.items():
            if name in frozen and before[part][name] != value:
                raise FreezeError(f"{name} was frozen in epoch {epoch}, and yet it moved")


def prove_groups(freezing: Freezing, optimizer: Optimizer, epoch: int) -> None:
    """FreezeError if a tensor that trains is not in exactly one group, or a frozen one has a gradient to move along."""
    members = Counter(id(parameter) for group in optimizer.param_groups for parameter in group["params"])
    for factor, (info, parameter) in zip(freezing.factors(epoch), freezing.parameters, strict=True):
        groups = members[id(parameter)]
        if factor == 0 and (parameter.requires_grad or parameter.grad is not None or groups > 1):
            raise FreezeError(f"{info.name} was frozen in epoch {epoch}, and yet it has a gradient")
        if factor and (groups != 1 or not parameter.requires_grad):
            raise FreezeError(
                f"{info.name} was to train in epoch {epoch}, and yet it is in {groups} groups of the optimizer, "
                f"with requires_grad={parameter.requires_grad}"
            )


def prove_ranks(sums: Mapping[str, list[int]], epoch: int) -> None:
    """FreezeError with the first part of which the processes of a run hold different weights: a number from each."""
    for part, numbers in sums.items():
        if len(set(numbers)) > 1:
            raise FreezeError(f"after epoch {epoch} the processes of this run hold different weights in {part}")
