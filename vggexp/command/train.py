"""``train``: build, look at the targets, fit, test the best checkpoint, sum up."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger
from torch.utils.data import DataLoader

from vggexp.build import build, build_data, build_learner, build_loader
from vggexp.callback.metrics_jsonl import MetricsJsonl
from vggexp.callback.progress import Progress
from vggexp.callback.stopwatch import Stopwatch
from vggexp.check import needs
from vggexp.errors import ConfigError
from vggexp.learner import Learner
from vggexp.report.console import print_run
from vggexp.report.summary import summarize
from vggexp.run import RunFolder
from vggexp.types import Batch, Data
from vggexp.weights import read_checkpoint


def run(config: Mapping[str, Any]) -> int:
    """Train one run from its resolved config; everything it leaves behind is in its run folder."""
    folder = RunFolder(config["run"]["dir"])
    pl.seed_everything(config["seed"], workers=True, verbose=False)
    data = build_data(config)
    learner = build_learner(config, data.info)
    overfit = bool(config["trainer"]["overfit_batches"])  # the same few batches again and again, in the same order
    train, val = _loader(config, data, "train", shuffle=not overfit), _loader(config, data, "val")
    observe_targets(config, data, learner)
    stopwatch = Stopwatch()
    trainer = make_trainer(config, folder, learner, stopwatch)

    folder.begin(config, config["run"]["overwrite"])
    try:
        trainer.fit(learner, train, val)
    except SystemExit as leaving:  # so Lightning ends on Ctrl-C, after its callbacks have closed
        raise KeyboardInterrupt from leaving
    learner.load_state_dict(read_checkpoint(folder.best if folder.best.exists() else folder.last)["state_dict"])
    scores = trainer.test(learner, _loader(config, data, "test"), verbose=False) if config["test"] else []

    folder.finish(summarize(config, folder, learner, stopwatch, scores[0] if scores else {}))
    for logger in trainer.loggers:
        if close := getattr(logger, "close", None):
            close()
    print_run(folder)
    return 0


def make_trainer(config: Mapping[str, Any], folder: RunFolder, learner: Learner, stopwatch: Stopwatch) -> pl.Trainer:
    """The trainer with the run's loggers and callbacks."""
    trainer: pl.Trainer = build("trainer", {**config["trainer"], "_partial_": True})(
        folder=folder.path,
        objective=learner.objective,
        loggers=_loggers(config, folder),
        callbacks=[stopwatch, Progress(*learner.objective), *_callbacks(config, folder)],
    )
    return trainer


def observe_targets(config: Mapping[str, Any], data: Data, learner: Learner) -> None:
    """Show the task its training targets: what the constant predictor and class balancing are made of."""
    if config["constant"]:
        with torch.inference_mode():
            for batch in build_loader(config, data.split("train", needs(config))):
                learner.task.observe(batch)
    learner.task.finish_observing()


def _loader(config: Mapping[str, Any], data: Data, split: str, shuffle: bool = False) -> DataLoader[Batch]:
    return build_loader(config, data.split(split, needs(config), augment=shuffle), shuffle=shuffle)


def _loggers(config: Mapping[str, Any], folder: RunFolder) -> list[Logger]:
    loggers: list[Logger] = [MetricsJsonl(folder.metrics)]
    for name, logger in config.get("logger", {}).items():
        try:
            loggers.append(build("logger", {**logger, "_partial_": True})(save_dir=Path(folder.path)))
        except ModuleNotFoundError as error:
            raise ConfigError(f"logger={name} is not installed; pip install 'vggexp[{name}]'") from error
    return loggers


def _callbacks(config: Mapping[str, Any], folder: RunFolder) -> list[Callback]:
    chosen = [build("callback", {**callback, "_partial_": True}) for callback in config.get("callback", {}).values()]
    return [make(folder=folder.predictions) for make in chosen]
