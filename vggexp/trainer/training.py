"""A training: build, look at the targets, fit, test the best checkpoint, sum up."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger

from vggexp.cache.feature_cache import FeatureCache, feature_cache
from vggexp.cache.settings import CacheSettings
from vggexp.callback.freeze_ledger import FreezeLedger
from vggexp.callback.keep_last import KeepLast
from vggexp.callback.progress import Progress
from vggexp.callback.prune import Prune
from vggexp.callback.stopwatch import Stopwatch
from vggexp.config.check import needs
from vggexp.distributed.fsdp import load_full
from vggexp.distributed.memory import give_back_freed_memory
from vggexp.distributed.processes import place_in_run
from vggexp.errors import ConfigError
from vggexp.learner.compile import compile_in_place, pays
from vggexp.learner.learner import Learner
from vggexp.logger.metrics_jsonl import MetricsJsonl
from vggexp.report.console import print_run
from vggexp.report.freeze_table import print_freezing
from vggexp.report.summary import summarize
from vggexp.run_folder import RunFolder
from vggexp.sample.loader import ResumableLoader
from vggexp.trainer.build import accumulation, build, build_data, build_learner
from vggexp.trainer.splits import Splits
from vggexp.transfer.checkpoint import read_checkpoint, read_info
from vggexp.transfer.class_names import require_same_names


@dataclass(frozen=True)
class Training:
    """What a training is made of."""

    config: Mapping[str, Any]
    """Resolved."""
    folder: RunFolder
    learner: Learner
    splits: Splits
    stopwatch: Stopwatch
    freeze_ledger: FreezeLedger


def train(config: Mapping[str, Any], go_on: bool = False) -> int:
    """Train one run from its resolved config, in this process, which may be one of several.

    Args:
        go_on: take up the folder's last checkpoint, as if the run had never stopped.
    """
    give_back_freed_memory()  # of the sweep's previous run in this process
    pl.seed_everything(config["seed"], workers=True, verbose=False)
    run = assemble(config)
    run.splits.check()
    overfit = bool(config["trainer"]["overfit_batches"])  # the same few batches again and again, in the same order
    val, batches = run.splits.loader("val"), run.splits.loader("train", shuffle=not overfit)
    if place_in_run()[0] == 0:
        run.splits.check_files()
    run.splits.observe(run.learner.task, batches.dataset)
    kept = begin(run, batches, go_on)
    compile_network(config, run.learner, batches)
    trainer = make_trainer(run, kept)
    with ending(trainer.loggers) as summary:
        fit(run, trainer, (batches, val), go_on)
        summary |= sum_up(run, trainer)
        if place_in_run()[0] > 0:
            return 0
        run.folder.finish(summary)
    print_run(run.folder)
    return 0


def assemble(config: Mapping[str, Any]) -> Training:
    """The data, the network and what watches it; nothing is written yet."""
    folder, data = RunFolder(config["run"]["dir"]), build_data(config)
    learner = build_learner(config, data.info)
    stopwatch, freeze_ledger = Stopwatch(), FreezeLedger(folder.freeze, learner.freezing)
    splits = Splits(config, data, _feature_cache(learner, config))
    return Training(config, folder, learner, splits, stopwatch, freeze_ledger)


def begin(run: Training, batches: ResumableLoader, go_on: bool) -> Mapping[str, Any]:
    """Begin the run folder, or go on in it, and say what trains; what its last checkpoint keeps of each logger."""
    config, is_first = run.config, place_in_run()[0] == 0
    kept: Mapping[str, Any] = {}
    if go_on:
        kept = find_place(run, batches)
    elif is_first:
        run.folder.begin(config, config["run"]["overwrite"])
    if is_first:
        print_freezing(run.learner.freezing, config["choice"]["freeze"], config["trainer"]["max_epochs"])
    return kept


def fit(run: Training, trainer: pl.Trainer, loaders: tuple[ResumableLoader, ResumableLoader], go_on: bool) -> None:
    """Train on the first loader, validate on the second."""
    for logger in trainer.loggers:
        logger.log_hyperparams(dict(run.config))
    try:
        trainer.fit(run.learner, *loaders, ckpt_path=run.folder.last if go_on else None, weights_only=True)
    except SystemExit as leaving:  # so Lightning ends on Ctrl-C, after its callbacks have closed
        raise KeyboardInterrupt from leaving


def sum_up(run: Training, trainer: pl.Trainer) -> dict[str, Any]:
    """Test the best checkpoint; what the run reached and cost, for the first of the processes that share it."""
    config, folder, learner = run.config, run.folder, run.learner
    load_full(learner, read_checkpoint(folder.best if folder.best.exists() else folder.last)["state_dict"])
    pruned = next((one.pruned for one in trainer.callbacks if isinstance(one, Prune) and one.pruned), None)  # type: ignore[attr-defined]
    tests = config["test"] and not pruned
    scores = trainer.test(learner, run.splits.loader("test"), verbose=False)[0] if tests else {}
    drift = run.freeze_ledger.drift()  # of a divided network every process must ask
    if place_in_run()[0] > 0:
        return {}
    summary = summarize(config, folder, learner, run.stopwatch, scores)
    return {**summary, **({"pruned": pruned} if pruned else {}), "drift": drift, "config": config}


def _feature_cache(learner: Learner, config: Mapping[str, Any]) -> FeatureCache | None:
    if "cache" not in config:  # a run that was recorded before the group existed
        return None
    settings: CacheSettings = build("cache", config["cache"])
    return feature_cache(learner, config, settings)


@contextmanager
def ending(loggers: Sequence[Logger]) -> Iterator[dict[str, Any]]:
    """Tell those loggers that have an end how the run ended: with a summary, to be filled in here, or in an error."""
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


def find_place(run: Training, train: ResumableLoader) -> Mapping[str, Any]:
    """Let the folder's rows and the loader go on where its last checkpoint is; what this keeps of each logger.

    Lightning would set the loader itself, had the length of the run not been asked for before it read the checkpoint.

    Raises:
        ConfigError: the data set has other class names now than when the checkpoint was written.
    """
    folder, checkpoint = run.folder, read_checkpoint(run.folder.last)
    where = (str(folder.last), "the data set now")
    advice = "go on with the classes and the data the run began with, or train anew in another run.dir"
    require_same_names(read_info(checkpoint), run.splits.data.info, needs(run.config), where, advice)
    loop, kept = checkpoint["loops"]["fit_loop"], checkpoint.get("logger", {})
    epochs = int(loop["epoch_progress"]["current"]["processed"])
    if place_in_run()[0] == 0:
        folder.go_on(epochs)
    (place,) = loop["state_dict"]["combined_loader"]
    if place["epoch"] == epochs:
        train.load_state_dict(place)
    return dict(kept)


def compile_network(config: Mapping[str, Any], learner: Learner, batches: ResumableLoader) -> None:
    """As ``trainer.compile`` asks, and where the run is long enough."""
    trainer, size = config["trainer"], config["data"]["image_size"]
    on_gpu = torch.cuda.is_available() and trainer["gpus"] != 0
    images = len(batches.dataset) * trainer["max_epochs"]  # type: ignore[arg-type]
    if pays(trainer.get("compile", False), on_gpu, images, (size[0], size[1])):
        compile_in_place(
            learner.backbone, learner.head, divided=place_in_run()[1] > 1 and trainer["strategy"] == "fsdp"
        )


def make_trainer(run: Training, kept: Mapping[str, Any]) -> pl.Trainer:
    """The trainer with the run's loggers, those ``kept`` by a checkpoint going on, and its callbacks."""
    config, folder, learner = run.config, run.folder, run.learner
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
            run.freeze_ledger,
            Progress(*learner.objective),
            *_callbacks(config, folder),
            *brought,
        ],
    )
    return trainer


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
    return [*chosen, KeepLast(folder.last, config["trainer"]["save_every"])]
