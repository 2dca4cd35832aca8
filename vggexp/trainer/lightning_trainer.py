"""Builds Lightning's Trainer for a run, with the run's loggers and callbacks."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger

from vggexp.callback.finite import Finite
from vggexp.callback.keep_last import KeepLast
from vggexp.callback.progress import Progress
from vggexp.callback.same_answer import SameAnswer
from vggexp.callback.stage_movement import StageMovement
from vggexp.callback.start_pull import StartPull
from vggexp.config.check.freezing import sources
from vggexp.errors import ConfigError
from vggexp.learner.learner import Learner
from vggexp.logger.metrics_jsonl import MetricsJsonl
from vggexp.run_folder import RunFolder
from vggexp.trainer.assembly import Training
from vggexp.trainer.build import build
from vggexp.trainer.length import accumulation


def make_trainer(run: Training, kept: Mapping[str, Any]) -> pl.Trainer:
    """Build the trainer with the run's callbacks and loggers; ``kept`` holds the states of loggers that resume."""
    config, folder, learner = run.config, run.folder, run.learner
    on_nan = config["trainer"].get("on_nan", "stop")
    learner.skips_nan = on_nan == "skip"
    loggers = _loggers(config, folder, kept)
    brought = [callback for logger in loggers for callback in getattr(logger, "callbacks", ())]
    trainer: pl.Trainer = build(
        "trainer",
        {**config["trainer"], "accumulate": accumulation(config)},
        folder=folder.path,
        objective=learner.objective,
        changing=not learner.freezing.constant,
        loggers=loggers,
        callbacks=[
            run.stopwatch,
            *([run.splits.moving] if run.splits.moving else []),
            Finite(folder.last, on_nan),
            *_gradient_callbacks(config, learner),
            run.freeze_ledger,
            Progress(*learner.objective),
            SameAnswer(),
            *_callbacks(config, folder),
            *brought,
        ],
    )
    return trainer


def _gradient_callbacks(config: Mapping[str, Any], learner: Learner) -> list[Callback]:
    """What reads the gradients of the loss, and then what adds to them."""
    freezing, found = learner.freezing, list[Callback]()
    if freezing.measuring and not freezing.constant:
        found.append(StageMovement(freezing))
    if config["optimizer"].get("l2_sp"):  # configs of older runs lack the key
        found.append(StartPull(freezing, sources(config), config["trainer"]["max_epochs"]))
    return found


def _loggers(config: Mapping[str, Any], folder: RunFolder, kept: Mapping[str, Any]) -> list[Logger]:
    loggers: list[Logger] = [MetricsJsonl(folder.metrics)]
    for name, chosen in config.get("logger", {}).items():
        try:
            logger = build("logger", chosen, save_dir=Path(folder.path))
        except ModuleNotFoundError as error:
            raise ConfigError(f"logger={name} is not installed; pip install 'vggexp[{name}]'") from error
        if name in kept:
            logger.load_state_dict(kept[name])
        loggers.append(logger)
    return loggers


def _callbacks(config: Mapping[str, Any], folder: RunFolder) -> list[Callback]:
    chosen = [build("callback", one, folder=folder.predictions) for one in config.get("callback", {}).values()]
    trainer = config["trainer"]
    return [*chosen, KeepLast(folder.last, trainer["save_every"], trainer.get("save_minutes"))]


@contextmanager
def ending(loggers: Sequence[Logger]) -> Iterator[dict[str, Any]]:
    """Close the loggers that have ``close``: with the summary that the caller fills in, or with the error raised."""
    summary: dict[str, Any] = {}
    ends = [close for logger in loggers if (close := getattr(logger, "close", None))]
    try:
        yield summary
    except BaseException as error:
        for close in ends:
            close(summary, error)
        raise
    for close in ends:
        close(summary)
