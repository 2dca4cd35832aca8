"""A training: build, look at the targets, fit, test the best checkpoint, sum up."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger
from torch.utils.data import Dataset

from vggexp.build import accumulation, build, build_data, build_learner, build_loader
from vggexp.callback.freeze_ledger import FreezeLedger
from vggexp.callback.metrics_jsonl import MetricsJsonl
from vggexp.callback.progress import Progress
from vggexp.callback.prune import Prune
from vggexp.callback.save_every import SaveEvery
from vggexp.callback.stopwatch import Stopwatch
from vggexp.check import needs
from vggexp.compilation import compile_in_place, pays
from vggexp.data.decoded import keep_decoded
from vggexp.data.files import Files
from vggexp.errors import ConfigError
from vggexp.feature_cache import CachedSplit, FeatureCache, feature_cache
from vggexp.learner import Learner
from vggexp.loader import ResumableLoader
from vggexp.processes import place_in_run
from vggexp.report.console import print_run
from vggexp.report.freeze_table import print_freezing
from vggexp.report.summary import summarize
from vggexp.run import RunFolder
from vggexp.sharding import load_whole
from vggexp.types import Data, Sample
from vggexp.weights import read_checkpoint


def train(config: Mapping[str, Any], go_on: bool = False) -> int:
    """Train one run from its resolved config, in this process, which may be one of several.

    Args:
        go_on: take up the folder's last checkpoint, as if the run had never stopped.
    """
    folder, is_first = RunFolder(config["run"]["dir"]), place_in_run()[0] == 0
    pl.seed_everything(config["seed"], workers=True, verbose=False)
    data = build_data(config)
    learner = build_learner(config, data.info)
    stopwatch, freeze_ledger = Stopwatch(), FreezeLedger(folder.freeze, learner.freezing)
    cache = feature_cache(learner, config)
    overfit = bool(config["trainer"]["overfit_batches"])  # the same few batches again and again, in the same order
    batches, val = _loader(config, data, "train", cache, shuffle=not overfit), _loader(config, data, "val", cache)
    observe_targets(config, data, learner, batches.dataset)
    kept: Mapping[str, Any] = {}
    if go_on:
        kept = find_place(folder, batches)
    elif is_first:
        folder.begin(config, config["run"]["overwrite"])
    if is_first:
        print_freezing(learner.freezing, config["choice"]["freeze"], config["trainer"]["max_epochs"])
    compile_network(config, learner, batches)
    trainer = make_trainer(config, folder, learner, [stopwatch, freeze_ledger], kept)
    with ending(trainer.loggers) as summary:
        for logger in trainer.loggers:
            logger.log_hyperparams(dict(config))
        try:
            trainer.fit(learner, batches, val, ckpt_path=folder.last if go_on else None, weights_only=True)
        except SystemExit as leaving:  # so Lightning ends on Ctrl-C, after its callbacks have closed
            raise KeyboardInterrupt from leaving
        load_whole(learner, read_checkpoint(folder.best if folder.best.exists() else folder.last)["state_dict"])
        pruned = next((one.pruned for one in trainer.callbacks if isinstance(one, Prune) and one.pruned), None)  # type: ignore[attr-defined]
        tests = config["test"] and not pruned
        scores = trainer.test(learner, _loader(config, data, "test", cache), verbose=False) if tests else []
        drift = freeze_ledger.drift()
        if not is_first:
            return 0
        summary |= summarize(config, folder, learner, stopwatch, scores[0] if scores else {})
        summary |= {**({"pruned": pruned} if pruned else {}), "drift": drift, "config": config}
        folder.finish(summary)
    print_run(folder)
    return 0


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


def find_place(folder: RunFolder, train: ResumableLoader) -> Mapping[str, Any]:
    """Let the folder's rows and the loader go on where its last checkpoint is; what this keeps of each logger.

    Lightning would set the loader itself, had the length of the run not been asked for before it read the checkpoint.
    """
    checkpoint = read_checkpoint(folder.last)
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


def make_trainer(
    config: Mapping[str, Any],
    folder: RunFolder,
    learner: Learner,
    standing: Sequence[Callback],
    kept: Mapping[str, Any],
) -> pl.Trainer:
    """The trainer with the run's loggers, those ``kept`` by a checkpoint going on, and its callbacks."""
    loggers = _loggers(config, folder, kept)
    brought = [callback for logger in loggers for callback in getattr(logger, "callbacks", ())]
    trainer: pl.Trainer = build(
        "trainer", {**config["trainer"], "accumulate": accumulation(config), "_partial_": True}
    )(
        folder=folder.path,
        objective=learner.objective,
        changing=not learner.freezing.constant,
        loggers=loggers,
        callbacks=[*standing, Progress(*learner.objective), *_callbacks(config, folder), *brought],
    )
    return trainer


def observe_targets(config: Mapping[str, Any], data: Data, learner: Learner, trained: Dataset[Sample]) -> None:
    """Show the task its training targets: what the constant predictor and class balancing are made of.

    Args:
        trained: what the run trains on. If it is cached, and nothing moves its targets, no photo is read for them.
    """
    if config["constant"]:
        own = config["data"]
        is_at_hand = isinstance(trained, CachedSplit) and own["train_transform"] in ([], own["eval_transform"])
        dataset = trained.targets() if is_at_hand else data.split("train", needs(config))  # type: ignore[attr-defined]
        with torch.inference_mode():
            for batch in build_loader(config, dataset, shared=False):
                learner.task.observe(batch)
    learner.task.finish_observing()


def _loader(
    config: Mapping[str, Any], data: Data, split: str, cache: FeatureCache | None, shuffle: bool = False
) -> ResumableLoader:
    dataset = data.split(split, needs(config), augment=shuffle)
    # What is met once is worth keeping only for other runs.
    if cache is not None and (split != "test" or cache.keeping.mode == "disk"):
        dataset = cache.split(dataset, split, augment=shuffle)
    kept = config["data"].get("cache", "none")  # of a run that was recorded before there was one: none
    if isinstance(dataset, Files) and (split != "test" or kept == "disk"):
        own = config["data"]
        dataset = (
            keep_decoded(dataset, split, kept, own["cache_dir"], own["cache_max_gb"]) if kept != "none" else dataset
        )
    return build_loader(config, dataset, shuffle=shuffle)


def _loggers(config: Mapping[str, Any], folder: RunFolder, kept: Mapping[str, Any]) -> list[Logger]:
    loggers: list[Logger] = [MetricsJsonl(folder.metrics)]
    for name, chosen in config.get("logger", {}).items():
        try:
            logger = build("logger", {**chosen, "_partial_": True})(save_dir=Path(folder.path))
        except ModuleNotFoundError as error:
            raise ConfigError(f"logger={name} is not installed; pip install 'vggexp[{name}]'") from error
        if name in kept:
            logger.load_state_dict(kept[name])
        loggers.append(logger)
    return loggers


def _callbacks(config: Mapping[str, Any], folder: RunFolder) -> list[Callback]:
    chosen = [build("callback", {**callback, "_partial_": True}) for callback in config.get("callback", {}).values()]
    every = config["trainer"]["save_every"]
    return [*(make(folder=folder.predictions) for make in chosen), *([SaveEvery(folder.last, every)] if every else [])]
