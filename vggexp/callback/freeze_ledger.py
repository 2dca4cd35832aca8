"""``freeze.csv``: for each part and epoch what trained, at which rate, and a hash of its weights and buffers.

With it the proof: at every epoch's end, what the policy froze must be bit-identical to what it was at its start, every
tensor that trains must be in exactly one group of the optimizer, and processes that share a run must hold the same
weights. Else the run stops.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from vggexp.distributed.fsdp import whole
from vggexp.learner.freeze_check import Hashes, flat, joint_hash, network_hashes, prove_groups, prove_ranks, prove_still
from vggexp.learner.freezing import Freezing

COLUMNS = ("epoch", "part", "parameters", "trainable", "learning_rate",
           "weights_start", "weights_end", "buffers_start", "buffers_end")  # fmt: skip
"""``learning_rate`` is the largest of the epoch's last step, 0 where nothing trains; the rest counts, or hashes."""
PIECE = 2**20
"""Numbers of a tensor that are compared at a time."""


class FreezeLedger(Callback):
    """Writes the ledger of a run, and stops the run if something frozen moved.

    Args:
        path: of ``freeze.csv``; rows are appended.
        freezing: the policy, bound to the network, whose weights are now as the run starts from them.
    """

    def __init__(self, path: Path, freezing: Freezing) -> None:
        self._path, self._freezing = path, freezing
        self._names = frozenset(info.name for info, _ in freezing.parameters)
        self._origin = dict(_origin(freezing))
        self._before: Hashes = {}
        self._rates: dict[int, float] = {}

    def state_dict(self) -> dict[str, Any]:
        """The hashes at the epoch's start, for a run that goes on in the middle of it."""
        return {"before": {part: dict(hashes) for part, hashes in self._before.items()}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from those hashes: the proof spans the interruption."""
        self._before = dict(state_dict["before"])

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Hash what the first epoch starts from."""
        self._before = self._before or network_hashes(self._freezing)

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        """Note the step's rates, which the schedule is about to change."""
        self._rates = {
            id(parameter): group["lr"] * group["factor"]
            for group in optimizer.param_groups
            for parameter in group["params"]
        }

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Prove the epoch, then write its rows."""
        after, epoch = network_hashes(self._freezing), trainer.current_epoch
        prove_still(self._freezing, self._before, after, epoch)
        prove_groups(self._freezing, trainer.optimizers[0], epoch)
        if trainer.world_size > 1:
            prove_ranks(self._gather(trainer, after), epoch)
        if trainer.is_global_zero:
            self._append(self._rows(epoch, after))
        self._before = after

    def drift(self) -> dict[str, float]:
        """How far each part's weights are from where they started: the distance, relative to the norm they had.

        Every process must ask, for the weights may be divided between them.
        """
        return {part: self._drift(tensors) for part, tensors in self._freezing.tensors().items()}

    def _drift(self, tensors: Mapping[str, Tensor]) -> float:
        if self._origin.keys().isdisjoint(tensors):
            return 0.0
        moved = norm = 0.0
        for name in (name for name in tensors if name in self._names):  # in one order in every process
            now = flat(whole(tensors[name].detach()).cpu())
            then = flat(self._origin[name]) if name in self._origin else now
            more = _squares(now, then)
            moved, norm = moved + more[0], norm + more[1]
        return (moved / norm) ** 0.5 if norm else 0.0

    def _gather(self, trainer: pl.Trainer, after: Hashes) -> dict[str, list[int]]:
        """A number for each part's weights, from each process. Batch statistics may differ: DDP sends rank 0's on."""
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
    """A copy of what may train; the rest does not move, or the proof stops the run."""
    for factor, (info, parameter) in zip(freezing.factors(0), freezing.parameters, strict=True):
        if factor or not freezing.constant:
            yield info.name, parameter.detach().cpu().clone()


def _squares(now: Tensor, then: Tensor) -> tuple[float, float]:
    """The squared length of the way from the second vector to the first, and of the second.

    In 64 bits, and piece by piece: whole, they would take three times the memory of VGG16's largest layer.
    """
    moved = norm = 0.0
    for after, before in zip(torch.split(now, PIECE), torch.split(then, PIECE), strict=True):
        start = before.double()
        way = after.double() - start
        moved, norm = moved + float(way.dot(way)), norm + float(start.dot(start))
    return moved, norm
