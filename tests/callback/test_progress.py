"""What a watcher sees, and what a log file gets."""

import io
import re
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from rich.console import Console
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from vggexp.callback import progress
from vggexp.callback.progress import Progress, num_steps

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*LeafSpec.*is deprecated:FutureWarning",  # Lightning 2.6 on torch 2.15
    "ignore:You defined a `validation_step`",
    "ignore:.*does not have many workers",
    "ignore:GPU available but not used",
)

SCORES = (0.25, 0.75, 0.5)
"""val/top1 of each epoch."""
SHOW_CURSOR = "\x1b[?25h"


class Scripted(LightningModule):
    """Logs 0.5 as its loss, and SCORES."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        loss = self.layer(batch[0]).sum() * 0 + 0.5
        self.log("train/loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        score = 0.99 if self.trainer.sanity_checking else SCORES[self.current_epoch]
        self.log("val/top1", score)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Fails(Callback):
    """In the second epoch."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def on_train_batch_start(self, trainer: Trainer, *_args: Any) -> None:
        if trainer.current_epoch == 1:
            raise self.error


def screen(*, interactive: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=interactive, force_interactive=interactive, width=110)


def fit(
    callback: Progress, *others: Callback, validate: bool = True, resume: Path | None = None, **options: Any
) -> str:
    """What the callback shows of a run of three epochs, four batches each."""
    loader = DataLoader(TensorDataset(torch.zeros(8, 2)), batch_size=2)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_model_summary": False}
    usual = {"accelerator": "cpu", "enable_progress_bar": False, "max_epochs": 3, "num_sanity_val_steps": 1}
    trainer = Trainer(**quiet | usual | options, callbacks=[callback, *others])
    trainer.fit(Scripted(), loader, loader if validate else None, ckpt_path=resume, weights_only=True)
    return getattr(callback.console.file, "getvalue", str)()


def frames(output: str) -> list[str]:
    """The texts a bar went through, without repetitions and without its control sequences."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output).replace("\r", "\n")
    texts = [line.split("━")[0].strip() for line in plain.splitlines() if "━" in line]
    return [text for text, before in zip(texts, ["", *texts], strict=False) if text != before]


def watch(monkeypatch: pytest.MonkeyPatch, *others: Callback, **options: Any) -> tuple[str, list[str]]:
    """The bytes and the frames of a run in a terminal that draws at every batch."""
    monkeypatch.setattr(progress, "DRAW_EVERY", 0.0)
    output = fit(Progress("val/top1", console=screen(interactive=True)), *others, **options)
    return output, frames(output)


def lines(**options: Any) -> list[str]:
    """A run's lines in a pipe, without their seconds."""
    output = fit(Progress("val/top1", console=screen(interactive=False)), **options)
    return [re.sub(r"  \d+\.\d s$", "  T", line) for line in output.splitlines()]


class Resumed(Progress):
    """As in a run that is resumed within an epoch: Lightning skips this call for that epoch."""

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.current_epoch:
            super().on_train_epoch_start(trainer, pl_module)


def test_the_time_of_an_epoch_that_was_resumed_begins_with_the_resume() -> None:
    output = fit(Resumed("val/top1", console=screen(interactive=False)))
    assert [float(line.split()[-2]) < 60 for line in output.splitlines()] == [True] * 3  # not since the system's start


def test_a_pipe_gets_a_line_an_epoch() -> None:
    assert lines() == [
        "epoch 1/3  train/loss 0.500  val/top1 0.250  T",
        "epoch 2/3  train/loss 0.500  val/top1 0.750  T",
        "epoch 3/3  train/loss 0.500  val/top1 0.500  T",
    ]


def test_a_terminal_gets_one_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    output, texts = watch(monkeypatch)
    assert texts == [
        "epoch 1/3",
        "epoch 1/3  loss 0.500  val top1 0.250 (best 0.250)",
        "epoch 2/3  loss 0.500  val top1 0.250 (best 0.250)",
        "epoch 2/3  loss 0.500  val top1 0.750 (best 0.750)",
        "epoch 3/3  loss 0.500  val top1 0.750 (best 0.750)",
        "epoch 3/3  loss 0.500  val top1 0.500 (best 0.750)",
    ]
    assert output.count("\n") == 1
    assert output.endswith(SHOW_CURSOR)


def test_captured_output_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    fit(Progress("val/top1"))
    assert capsys.readouterr().out.count("val/top1") == 3


def test_less_can_be_better() -> None:
    callback = Progress("val/top1", mode="min", console=screen(interactive=False))
    fit(callback)
    assert callback.best == 0.25


def test_another_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="best"):
        Progress("val/top1", mode="best")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"validate": False}, ["epoch 1/3  train/loss 0.500  T", "epoch 2/3  train/loss 0.500  T"]),
        ({"max_epochs": -1, "max_steps": 6}, ["epoch 1  train/loss 0.500  val/top1 0.250  T"]),
        (
            {"check_val_every_n_epoch": 2},
            ["epoch 1/3  train/loss 0.500  T", "epoch 2/3  train/loss 0.500  val/top1 0.750  T"],
        ),
        ({"val_check_interval": 0.5}, ["epoch 1/3  train/loss 0.500  val/top1 0.250  T"]),
    ],
)
def test_runs_of_another_shape(options: dict[str, Any], expected: list[str]) -> None:
    """No validation, no number of epochs, rare validation, frequent validation: and no score is shown twice."""
    assert lines(**options)[: len(expected)] == expected


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({}, 12),
        ({"accumulate_grad_batches": 2}, 6),
        ({"max_steps": 5}, 5),
        ({"max_epochs": -1, "max_steps": 5}, 5),
    ],
)
def test_the_bar_is_as_long_as_the_run(monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], steps: int) -> None:
    lengths = []
    monkeypatch.setattr(progress, "num_steps", lambda trainer: lengths.append(num_steps(trainer)) or lengths[-1])
    watch(monkeypatch, **options)
    assert lengths == [steps]


def test_an_open_end_has_no_length() -> None:
    assert num_steps(Trainer(accelerator="cpu", max_epochs=-1, logger=False, enable_checkpointing=False)) is None


def test_a_long_epoch_shows_a_steps_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "READ_LOSS_EVERY", 0.0)
    assert watch(monkeypatch, validate=False)[1][1] == "epoch 1/3  loss 0.500"


def test_between_two_drawings_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "DRAW_EVERY", 1000.0)
    drawn = fit(Progress("val/top1", console=screen(interactive=True))).count("epoch")
    assert drawn < 12


@pytest.mark.parametrize(
    ("error", "raised"), [(RuntimeError("broken"), RuntimeError), (KeyboardInterrupt(), SystemExit)]
)
def test_an_interrupted_bar_leaves_the_terminal_whole(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, raised: type[BaseException]
) -> None:
    callback = Progress("val/top1", console=screen(interactive=True))
    handler = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(raised):
            fit(callback, Fails(error))
    finally:
        signal.signal(signal.SIGINT, handler)  # Lightning ignores Ctrl-C from the first one on
    output = callback.console.file.getvalue()
    assert output.endswith(SHOW_CURSOR)
    assert frames(output)[-1] == "epoch 1/3  loss 0.500  val top1 0.250 (best 0.250)"


@pytest.mark.parametrize("interactive", [True, False])
def test_other_ranks_are_silent(monkeypatch: pytest.MonkeyPatch, interactive: bool) -> None:
    monkeypatch.setattr(Trainer, "is_global_zero", False)
    assert fit(Progress("val/top1", console=screen(interactive=interactive))) == ""


def test_a_resumed_run_remembers_its_best(tmp_path: Path) -> None:
    class Save(Callback):
        def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
            trainer.save_checkpoint(tmp_path / "last.ckpt")

    fit(Progress("val/top1", console=screen(interactive=False)), Save(), max_epochs=2)
    resumed = Progress("val/top1", console=screen(interactive=True))
    output = fit(resumed, resume=tmp_path / "last.ckpt")
    assert resumed.best == 0.75
    assert frames(output)[-1] == "epoch 3/3  loss 0.500  val top1 0.500 (best 0.750)"
