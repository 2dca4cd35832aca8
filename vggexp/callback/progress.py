"""Shows a run's progress: a bar over all steps in a terminal, otherwise (pipe, CI, log file) one line per epoch."""

import math
import time
from collections.abc import Mapping
from typing import Any, Literal

from pytorch_lightning import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from torch import Tensor

DRAW_EVERY = 0.1
"""Seconds between two updates of the bar."""
READ_LOSS_EVERY = 5.0
"""Seconds between two reads of a step's loss: each read waits for the GPU."""


class Progress(Callback):
    """Shows the epoch, the training loss, the objective with its best value so far, and the time.

    Build the trainer with ``enable_progress_bar=False``; otherwise Lightning shows its own bar too.

    Args:
        objective: the metric to show, by its logged name, such as "val/top1".
        mode: "max" if higher is better, "min" if lower is better.
        console: the output; by default standard output, with a bar if that is a terminal.

    Raises:
        ValueError: ``mode`` is neither "min" nor "max".
    """

    def __init__(self, objective: str, mode: Literal["min", "max"] = "max", console: Console | None = None) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f'mode must be "min" or "max", not {mode!r}')
        self.objective = objective
        self.mode = mode
        self.console = console or Console()
        self.best = math.nan
        self._score = math.nan
        self._scored_at = -1
        self._is_said = False
        self._epoch_began = 0.0
        self._bar: _RunBar | None = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Reset the scores of an earlier run."""
        self.best = self._score = math.nan
        self._scored_at = -1

    def state_dict(self) -> dict[str, Any]:
        """Save the best score, for a resumed run."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best score; Lightning calls this after ``setup``."""
        self.best = state_dict["best"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Create the bar: now the sanity check is over and the number of steps is known."""
        self._epoch_began = time.perf_counter()  # a run resumed within an epoch does not start that epoch
        if trainer.is_global_zero and self.console.is_interactive:
            self._bar = _RunBar(self.console, trainer.global_step, num_steps(trainer), _epoch(trainer))

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start to measure the epoch's time."""
        self._epoch_began = time.perf_counter()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Update the bar if it is due."""
        if self._bar and self._bar.is_due():
            self._bar.observe(outputs)
            self._bar.draw(trainer.global_step, _epoch(trainer), self._scores())

    def on_validation_batch_end(self, trainer: Trainer, *_args: Any, **_kwargs: Any) -> None:
        """Update the bar's time if it is due."""
        if self._bar and self._bar.is_due():
            self._bar.draw(trainer.global_step, _epoch(trainer), self._scores())

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Read the objective here, and not at the epoch's end: an epoch may validate twice, or not at all."""
        value = trainer.callback_metrics.get(self.objective)
        if trainer.sanity_checking or value is None:
            return
        if math.isnan(score := _number(value)):
            if trainer.is_global_zero and math.isnan(self.best) and not self._is_said:
                self._is_said = True
                baseline = getattr(pl_module, "baseline", {}).get(self.objective)
                self.console.print(no_value(self.objective, baseline), markup=False, highlight=False, soft_wrap=True)
            return
        better = max if self.mode == "max" else min
        self.best = score if math.isnan(self.best) else better(self.best, score)
        self._score, self._scored_at = score, trainer.current_epoch

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show the epoch's mean loss in the bar; without a bar, print the epoch's line."""
        loss = _number(trainer.callback_metrics.get("train/loss"))
        if self._bar:
            self._bar.loss = loss
            self._bar.draw(trainer.global_step, _epoch(trainer), self._scores())
        elif trainer.is_global_zero:
            seconds = time.perf_counter() - self._epoch_began
            score = f"{self.objective} {self._score:.3f}" if self._scored_at == trainer.current_epoch else ""
            words = (_epoch(trainer), _show_loss("train/loss", loss), score, f"{seconds:.1f} s")
            print(*filter(None, words), sep="  ", file=self.console.file, flush=True)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop the bar; its last state stays on the screen."""
        self._stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Stop the bar, after Ctrl-C too."""
        self._stop()

    def _stop(self) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None

    def _scores(self) -> str:
        if math.isnan(self._score):
            return ""
        return f"{self.objective.replace('/', ' ')} {self._score:.3f} (best {self.best:.3f})"


class _RunBar:
    """A bar over all steps of a run. It draws only in ``draw`` and has no thread, because data workers fork."""

    def __init__(self, console: Console, step: int, steps: int | None, epoch: str) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            # Rich's default colours look the same in a terminal with 16 colours.
            BarColumn(bar_width=None, complete_style="cyan", finished_style="green"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self.loss = math.nan
        self._bars = Bars(*columns, console=console, auto_refresh=False, expand=True)
        self._task = self._bars.add_task(epoch, total=steps, completed=step, left="")
        self._first, self._steps = step, steps
        self._began = self._loss_read = time.monotonic()
        self._drawn = -math.inf
        self._bars.start()

    def is_due(self) -> bool:
        return time.monotonic() - self._drawn >= DRAW_EVERY

    def observe(self, outputs: Any) -> None:
        """Read a step's loss every ``READ_LOSS_EVERY`` seconds, because an epoch may take hours."""
        if time.monotonic() - self._loss_read >= READ_LOSS_EVERY:
            self._loss_read = time.monotonic()
            self.loss = _number(outputs.get("loss") if isinstance(outputs, Mapping) else outputs)

    def draw(self, step: int, *words: str) -> None:
        self._drawn = time.monotonic()
        text = "  ".join(filter(None, (words[0], _show_loss("loss", self.loss), *words[1:])))
        self._bars.update(self._task, completed=step, description=text, left=self._left(step), refresh=True)

    def stop(self) -> None:
        self._bars.stop()

    def _left(self, step: int) -> str:
        """Estimated time left from the run's mean speed; rich's own estimate ignores the time of validations."""
        if self._steps is None or not self._first < step < self._steps:
            return ""
        pace = (time.monotonic() - self._began) / (step - self._first)
        minutes, seconds = divmod(math.ceil(pace * (self._steps - step)), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02} left"


def num_steps(trainer: Trainer) -> int | None:
    """Optimizer steps of the whole run; None if it has no end."""
    steps = trainer.estimated_stepping_batches
    return int(steps) if 0 < steps < math.inf else None


def _epoch(trainer: Trainer) -> str:
    last = f"/{trainer.max_epochs}" if (trainer.max_epochs or -1) > 0 else ""
    return f"epoch {trainer.current_epoch + 1}{last}"


def _show_loss(name: str, loss: float) -> str:
    """The loss with three significant digits: a box loss may be a thousandth of a classification loss."""
    return "" if math.isnan(loss) else f"{name} {loss:#.3g}"


def no_value(objective: str, constant: float | None) -> str:
    """What it means that a validation gave the objective no value.

    Args:
        objective: the metric's name, such as "val/miou".
        constant: its value for the constant predictor, which needs nothing but ground truth; None if it is not known.
    """
    why = "the split has no ground truth for it, or the network's outputs are no numbers"
    if constant is not None:
        is_truth = not math.isnan(constant)
        why = "the network's outputs are no numbers" if is_truth else "the split has no ground truth for it"
    return f"{objective} has no value: {why}; until it has one, the last epoch counts as the best"


def _number(value: Tensor | float | None) -> float:
    return math.nan if value is None else float(value)
