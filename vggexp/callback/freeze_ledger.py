"""Writes ``freeze.csv``: for each epoch and part, what was trainable, the learning rate, and hashes of the tensors.

At the end of every epoch it runs the freeze checks: frozen tensors must be bit-identical to the epoch's start, every
trainable tensor must be in exactly one optimizer group, and all ranks must hold the same weights. Otherwise the run
stops.
"""

import csv
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from vggexp.distributed.fsdp import full_tensor
from vggexp.learner.freeze_check import (
    Hashes,
    check_frozen,
    check_groups,
    check_ranks,
    flat,
    hashes_of,
    joint_hash,
    network_hashes,
)
from vggexp.learner.freezing import Freezing

COLUMNS = ("epoch", "part", "parameters", "trainable", "learning_rate",
           "weights_start", "weights_end", "buffers_start", "buffers_end")  # fmt: skip
"""``learning_rate`` is the largest in the epoch's last step, 0 if the part is frozen. The others: counts, hashes."""
CHUNK = 2**20
"""Chunk size of the comparison, in elements."""


class FreezeLedger(Callback):
    """Writes the ledger of a run, and stops the run if a frozen tensor changed.

    Args:
        path: path of ``freeze.csv``; rows are appended.
        freezing: the policy, bound to the network with the initial weights of the run.
    """

    def __init__(self, path: Path, freezing: Freezing) -> None:
        self._path, self._freezing = path, freezing
        self._names = frozenset(info.name for info, _ in freezing.parameters)
        background = ThreadPoolExecutor(1)  # VGG16's weights are half a gigabyte: copied while the run is set up
        self._copying = background.submit(lambda: dict(_origin(freezing)))
        background.shutdown(wait=False)
        self._before: Hashes = {}
        self._unhashed: set[str] = set()
        self._rates: dict[int, float] = {}

    @property
    def _origin(self) -> dict[str, Tensor]:
        """The initial values of the parameters that may be trained, by name."""
        return self._copying.result()

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Wait for the copy of the weights, before anything moves, shards or loads them."""
        self._copying.result()

    def state_dict(self) -> dict[str, Any]:
        """Save the hashes at the epoch's start, for a run that is resumed within the epoch."""
        self._hash_start()
        return {"before": {part: dict(hashes) for part, hashes in self._before.items()}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the hashes, so that the checks cover the epoch from its start."""
        self._before = dict(state_dict["before"])

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Hash the initial tensors. Those that are copied anyway are hashed later, to start the first step sooner."""
        if self._before:
            return
        if trainer.global_step == 0:
            self._unhashed = set(self._origin)
        self._before = network_hashes(self._freezing, skip=self._unhashed)

    def _hash_start(self) -> None:
        """Add the hashes that ``on_train_start`` left out, in the network's order."""
        if not self._unhashed:
            return
        late = hashes_of({"": {name: self._origin[name] for name in self._unhashed}})[""]
        self._unhashed = set()
        self._before = {
            part: {name: late.get(name) or self._before[part][name] for name in tensors}
            for part, tensors in self._freezing.tensors().items()
        }

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        """Store the step's learning rates before the schedule changes them."""
        self._rates = {
            id(parameter): group["lr"] * group["factor"]
            for group in optimizer.param_groups
            for parameter in group["params"]
        }

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Run the freeze checks of the epoch, then write its rows."""
        self._hash_start()
        after, epoch = network_hashes(self._freezing), trainer.current_epoch
        check_frozen(self._freezing, self._before, after, epoch)
        check_groups(self._freezing, trainer.optimizers[0], epoch)
        if trainer.world_size > 1:
            check_ranks(self._gather(trainer, after), epoch)
        if trainer.is_global_zero:
            self._append(self._rows(epoch, after))
        self._before = after

    def drift(self) -> dict[str, float]:
        """How far each part's weights moved: the L2 distance to the initial weights, relative to their norm.

        Under FSDP every rank must call this.
        """
        return {part: self._drift(tensors) for part, tensors in self._freezing.tensors().items()}

    def _drift(self, tensors: Mapping[str, Tensor]) -> float:
        if self._origin.keys().isdisjoint(tensors):
            return 0.0
        moved = norm = 0.0
        for name in (name for name in tensors if name in self._names):  # the same order on every rank
            now = flat(full_tensor(tensors[name].detach()).cpu())
            then = flat(self._origin[name]) if name in self._origin else now
            more = _squares(now, then)
            moved, norm = moved + more[0], norm + more[1]
        return (moved / norm) ** 0.5 if norm else 0.0

    def _gather(self, trainer: pl.Trainer, after: Hashes) -> dict[str, list[int]]:
        """A checksum of each part's weights from each rank. Buffers may differ: DDP broadcasts those of rank 0."""
        sums = [int(joint_hash(self._weights(hashes))[:15] or "0", 16) for hashes in after.values()]
        everyone = trainer.strategy.all_gather(torch.tensor(sums, device=trainer.strategy.root_device))
        return {part: column.tolist() for part, column in zip(after, everyone.T, strict=True)}

    def _rows(self, epoch: int, after: Hashes) -> Iterator[tuple[object, ...]]:
        trains = {
            info.name: parameter
            for factor, (info, parameter) in zip(self._freezing.factors(epoch), self._freezing.parameters, strict=True)
            if factor
        }
        for part, hashes in after.items():
            own = [name for name in hashes if name in trains]
            rate = max((self._rates.get(id(trains[name]), 0.0) for name in own), default=0.0)
            size = sum(parameter.numel() for parameter in self._freezing.parts[part].parameters())
            ends = (self._before[part], hashes)
            weights = (joint_hash(self._weights(end)) for end in ends)
            buffers = (joint_hash({k: v for k, v in end.items() if k not in self._names}) for end in ends)
            yield epoch, part, size, sum(trains[name].numel() for name in own), f"{rate:.6g}", *weights, *buffers

    def _weights(self, hashes: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in hashes.items() if name in self._names}

    def _append(self, rows: Iterator[tuple[object, ...]]) -> None:
        is_new = not self._path.exists()
        with self._path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            if is_new:
                writer.writerow(COLUMNS)
            writer.writerows(rows)


def _origin(freezing: Freezing) -> Iterator[tuple[str, Tensor]]:
    """A copy of every parameter that may be trained. The others cannot change: the freeze checks would stop the run."""
    for factor, (info, parameter) in zip(freezing.factors(0), freezing.parameters, strict=True):
        if factor or not freezing.constant:
            yield info.name, parameter.detach().cpu().clone()


def _squares(now: Tensor, then: Tensor) -> tuple[float, float]:
    """The squared norms of ``now - then`` and of ``then``, computed in float64.

    It works in chunks: float64 copies of a full tensor would need several times the memory of VGG16's largest layer.
    """
    moved = norm = 0.0
    for after, before in zip(torch.split(now, CHUNK), torch.split(then, CHUNK), strict=True):
        start = before.double()
        change = after.double() - start
        moved, norm = moved + float(change.dot(change)), norm + float(start.dot(start))
    return moved, norm
