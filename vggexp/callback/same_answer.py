"""Says so, once, if a validation finds that the network gives every image the same box or the same probabilities.

Too high a learning rate can drive a box head's sigmoids to 0 or 1 in its first steps. Hardly any gradient is left
there, so the run would go on without learning, and without a line.
"""

import sys
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from vggexp.boxes import of_label
from vggexp.distributed.gather import gathered
from vggexp.types import Batch, Prediction

LEAST = 8
"""Images below which a validation says too little."""
SAME = 1e-3
"""The widest range of a share of the image that counts as one value; of a probability, as a share of the largest."""
VARIED = 0.05
"""The least range of a coordinate of the true boxes that a network should follow."""
SIDES = ("x", "y", "h", "w")

Range = tuple[Tensor, Tensor]
"""The least and the largest value of each column."""


class SameAnswer(Callback):
    """Follows the range of each output and target over a validation: two small tensors a batch, read at its end.

    The ranges of all processes are joined, so each of them comes to the same end.
    """

    def __init__(self) -> None:
        self._ranges: dict[str, Range] = {}
        self._images = 0
        self._is_said = False

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget the validation before."""
        self._ranges, self._images = {}, 0

    def on_validation_batch_end(  # type: ignore[override]
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Prediction, batch: Batch, *places: int
    ) -> None:
        """Widen the ranges by one batch."""
        if self._is_said:
            return
        self._images += len(batch["index"])
        for name, values in columns(outputs, batch).items():
            least, most = values.amin(0), values.amax(0)
            if name in self._ranges:
                before = self._ranges[name]
                least, most = torch.minimum(before[0], least), torch.maximum(before[1], most)
            self._ranges[name] = least, most

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the line, if there is one to print."""
        if self._is_said or trainer.sanity_checking or trainer.state.fn != "fit":
            return
        own = {name: (least.cpu(), most.cpu()) for name, (least, most) in self._ranges.items()}
        parts = gathered((self._images, own))
        images, ranges = sum(count for count, _ in parts), joined([part for _, part in parts])
        if images < LEAST or not (finding := same_answer(ranges)):
            return
        self._is_said = True
        if trainer.is_global_zero:
            where = f"epoch {trainer.current_epoch + 1}, learning rate {_rate(trainer):.3g}"
            what, advice = finding
            print(f"vggexp: {where}: {what} in all {images} validation images; {advice}", file=sys.stderr, flush=True)


def columns(prediction: Prediction, batch: Batch) -> dict[str, Tensor]:
    """What is followed, each (N, columns): the box and the probabilities with their targets; not what is missing."""
    found: dict[str, Tensor] = {}
    box = prediction.get("box")
    if "box_per_class" in prediction and "label" in batch:
        box = of_label(prediction["box_per_class"], batch["label"])
    if box is not None and "box" in batch:
        found |= {"box": box, "true box": batch["box"]}
    probability = prediction.get("probability")
    if isinstance(probability, Tensor) and probability.ndim == 2:
        for name in ("label", "labels"):
            if name in batch:
                found |= {"probability": probability, "true label": batch[name].reshape(len(probability), -1)}
    return found


def joined(parts: list[dict[str, Range]]) -> dict[str, Range]:
    """The ranges of all processes together."""
    names = {name for part in parts for name in part}
    return {
        name: (
            torch.stack([part[name][0] for part in parts if name in part]).amin(0),
            torch.stack([part[name][1] for part in parts if name in part]).amax(0),
        )
        for name in names
    }


def same_answer(ranges: Mapping[str, Range]) -> tuple[str, str] | None:
    """What is the same in all images although its target is not, and what to do; None: nothing is."""
    if "box" in ranges:
        (least, most), (low, high) = ranges["box"], ranges["true box"]
        stuck = (most - least < SAME) & (high - low > VARIED)
        if bool(stuck.any()):
            names = ", ".join(side for side, is_stuck in zip(SIDES, stuck.tolist(), strict=True) if is_stuck)
            at_end = bool(((most[stuck] < SAME) & (least[stuck] > -SAME) | (least[stuck] > 1 - SAME)).any())
            return f"the predicted box has the same {names}", _SATURATED if at_end else _UNDECIDED
    if "probability" in ranges:
        (least, most), (low, high) = ranges["probability"], ranges["true label"]
        if bool((most - least).amax() < SAME * most.amax()) and bool((high > low).any()):
            return "the probabilities are the same", _UNDECIDED
    return None


_SATURATED = "its sigmoids are at 0 or 1, where hardly any gradient is left: lower optimizer.lr"
_UNDECIDED = "so far the network does not tell images apart: if that stays so, change optimizer.lr"


def _rate(trainer: pl.Trainer) -> float:
    """The largest learning rate of the schedule: what ``optimizer.lr`` sets."""
    groups: list[dict[str, Any]] = trainer.optimizers[0].param_groups
    return max(float(group.get("max_lr", group.get("initial_lr", group["lr"]))) for group in groups)
