"""One training: build, observe the targets, fit, test the best checkpoint, write the summary."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger

from vggexp.cache.feature_cache import feature_cache
from vggexp.cache.moving import moving_cache
from vggexp.cache.settings import CacheSettings
from vggexp.callback.finite import Finite
from vggexp.callback.freeze_ledger import FreezeLedger
from vggexp.callback.keep_last import KeepLast
from vggexp.callback.progress import Progress
from vggexp.callback.prune import Prune
from vggexp.callback.stage_movement import StageMovement
from vggexp.callback.start_pull import StartPull
from vggexp.callback.stopwatch import Stopwatch
from vggexp.config.check import needs
from vggexp.config.check.freezing import sources
from vggexp.distributed.fsdp import load_full
from vggexp.distributed.memory import give_back_freed_memory, keep_out_of_collections
from vggexp.distributed.processes import place_in_run
from vggexp.distributed.signals import defer, undisguised
from vggexp.errors import ConfigError, UserError, one_line
from vggexp.learner.compile import compile_in_place, pays
from vggexp.learner.learner import Learner
from vggexp.learner.optimizer import parameter_groups
from vggexp.logger.metrics_jsonl import MetricsJsonl
from vggexp.report.console import print_run
from vggexp.report.freeze_table import print_freezing
from vggexp.report.summary import summarize
from vggexp.run_folder import RunFolder
from vggexp.sample.loader import ResumableLoader
from vggexp.sweep.journal import runs_job
from vggexp.trainer.batch_size import with_batch_size
from vggexp.trainer.build import accumulation, build, build_data, build_learner
from vggexp.trainer.choosing import choose, chooses
from vggexp.trainer.data_notes import print_problems, write_skipped, write_splits
from vggexp.trainer.disk_space import check_space
from vggexp.trainer.objective import check_objective
from vggexp.trainer.shortage import explained
from vggexp.trainer.splits import Splits
from vggexp.transfer.checkpoint import read_checkpoint, read_info
from vggexp.transfer.class_names import require_same_names
from vggexp.transfer.sources import write_sources
from vggexp.transfer.without_weights import without_weights


@dataclass(frozen=True)
class Training:
    """The objects that a training uses."""

    config: Mapping[str, Any]
    """The resolved config."""
    folder: RunFolder
    learner: Learner
    splits: Splits
    stopwatch: Stopwatch
    freeze_ledger: FreezeLedger
    knows_start: bool = True
    """Whether the weights that the run began with are known; they may have come from a source that is gone."""


_TRAININGS = count()
"""How many trainings this process has begun."""


def train(config: Mapping[str, Any], go_on: bool = False) -> int:
    """Train one run from its resolved config in this process, which may be one of several ranks.

    Args:
        go_on: resume from the folder's last checkpoint.
    """
    if (before := next(_TRAININGS)) > 0:
        give_back_freed_memory()  # memory of the sweep's previous run
    if before == 1 and runs_job():
        keep_out_of_collections()
    with explained(config):
        settled = with_batch_size(config, go_on)
    with explained(settled):
        return _train(settled, go_on)


def _train(config: Mapping[str, Any], go_on: bool) -> int:
    pl.seed_everything(config["seed"], workers=True, verbose=False)
    run = assemble(config, go_on)
    run.splits.check()
    if place_in_run()[0] == 0:
        run.splits.check_files()
    if chooses(run.learner):
        choose(run.learner, run.splits, run.folder, go_on)
        run = replace(run, splits=replace(run.splits, features=_feature_caches(run.learner, config)[0]))
    overfit = bool(config["trainer"]["overfit_batches"])  # repeats the same few batches in the same order
    val, batches = run.splits.loader("val"), run.splits.loader("train", shuffle=not overfit)
    run.splits.observe(run.learner.task, batches.dataset)
    check_objective(run.learner, val)
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


def assemble(config: Mapping[str, Any], go_on: bool = False) -> Training:
    """Build the data, the learner and their callbacks. Writes nothing.

    Args:
        go_on: the weights will come from the run's checkpoint, so the source of the first ones may be gone.
    """
    folder, data = RunFolder(config["run"]["dir"]), build_data(config)
    knows_start = True
    try:
        learner = build_learner(config, data.info)
    except UserError as error:
        if not go_on or without_weights(config) == config:
            raise
        print(f"{one_line(error)}; the run's checkpoint has its weights, but its drift is not known")
        knows_start = False
        learner = build_learner(without_weights(config), data.info, recorded=config)
    learner.check_arguments(config["trainer"]["max_epochs"])
    stopwatch, freeze_ledger = Stopwatch(), FreezeLedger(folder.freeze, learner.freezing)
    splits = Splits(config, data, *_feature_caches(learner, config))
    return Training(config, folder, learner, splits, stopwatch, freeze_ledger, knows_start)


def begin(run: Training, batches: ResumableLoader, go_on: bool) -> Mapping[str, Any]:
    """Create the run folder or resume in it, and print what is trainable.

    Returns:
        The state of each logger in the last checkpoint; empty for a new run.
    """
    config, is_first = run.config, place_in_run()[0] == 0
    kept: Mapping[str, Any] = {}
    if go_on:
        kept = restore_position(run, batches)
    if is_first:
        check_space(config, run.folder, run.learner)
    if is_first and not go_on:
        run.folder.begin(config, config["run"]["overwrite"])
        write_sources(run.folder, config)
        write_splits(run.folder, run.splits.data)
        write_skipped(run.folder, run.splits.data)
    if is_first:
        print_problems(run.splits.data, untested=config["test"] and not run.splits.tests)
        print_freezing(run.learner.freezing, config["choice"]["freeze"], config["trainer"]["max_epochs"])
        if config["trainer"]["deterministic"]:
            print(_DETERMINISTIC)
    return kept


_DETERMINISTIC = (
    "trainer.deterministic=true: torch's deterministic kernels only, and no search for the fastest convolutions: "
    "slower on a GPU, most of all where masks are resized; on a CPU it costs nothing and changes nothing: "
    "runs repeat anyway"
)


def fit(run: Training, trainer: pl.Trainer, loaders: tuple[ResumableLoader, ResumableLoader], go_on: bool) -> None:
    """Train on the first loader, validate on the second."""
    for logger in trainer.loggers:
        logger.log_hyperparams(dict(run.config))
    try:
        with undisguised():
            trainer.fit(run.learner, *loaders, ckpt_path=run.folder.last if go_on else None, weights_only=True)
    finally:
        defer(False)


def sum_up(run: Training, trainer: pl.Trainer) -> dict[str, Any]:
    """Test the best checkpoint and return the summary: scores and cost. Empty on ranks other than 0."""
    config, folder, learner = run.config, run.folder, run.learner
    load_full(learner, read_checkpoint(folder.best if folder.best.exists() else folder.last)["state_dict"])
    pruned = next((one.pruned for one in trainer.callbacks if isinstance(one, Prune) and one.pruned), None)  # type: ignore[attr-defined]
    tests = run.splits.tests and not pruned
    with undisguised():
        scores = trainer.test(learner, run.splits.loader("test"), verbose=False)[0] if tests else {}
    drift = run.freeze_ledger.drift() if run.knows_start else {}  # under FSDP every rank must call it
    if place_in_run()[0] > 0:
        return {}
    summary = summarize(config, folder, learner, run.stopwatch, scores)
    return {
        **summary,
        **({"pruned": pruned} if pruned else {}),
        "drift": drift,
        "fingerprint": run.splits.fingerprints(),
        "config": config,
    }


def _feature_caches(learner: Learner, config: Mapping[str, Any]) -> Sequence[Any]:
    """The cache for a constant freeze policy, and the one for a policy that changes; at most one is not None."""
    if "cache" not in config:  # configs of older runs lack the group
        return None, None
    settings: CacheSettings = build("cache", config["cache"])
    return feature_cache(learner, config, settings), moving_cache(learner, config, settings)


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


def restore_position(run: Training, train: ResumableLoader) -> Mapping[str, Any]:
    """Set the folder's rows and the loader to the position of the last checkpoint.

    Lightning does not restore the loader here, because the loader's length is read before the checkpoint.

    Returns:
        The state of each logger in the checkpoint.

    Raises:
        ConfigError: the data set's class names differ from those in the checkpoint.
    """
    folder, checkpoint = run.folder, read_checkpoint(run.folder.last)
    where = (str(folder.last), "the data set now")
    advice = "resume with the classes and the data that the run started with, or start a new run in another run.dir"
    require_same_names(read_info(checkpoint), run.splits.data.info, needs(run.config), where, advice)
    loop, kept = checkpoint["loops"]["fit_loop"], checkpoint.get("logger", {})
    epochs = int(loop["epoch_progress"]["current"]["processed"])
    check_length(run, checkpoint, epochs)
    if place_in_run()[0] == 0:
        folder.go_on(epochs, checkpoint.get("callbacks", {}).get("KeepLast", {}).get("row"))
    (place,) = loop["state_dict"]["combined_loader"]
    if place["epoch"] == epochs:
        train.load_state_dict(place)
    return dict(kept)


def check_length(run: Training, checkpoint: Mapping[str, Any], done: int) -> None:
    """ConfigError unless the run can go on to ``trainer.max_epochs``, which may differ from the checkpoint's."""
    planned = run.config["trainer"]["max_epochs"]
    if planned < done:
        raise ConfigError(f"trainer.max_epochs={planned}: the run has trained {done} epochs already; give more")
    whole = (checkpoint["config"]["trainer"]["max_epochs"], planned)
    groups = [parameter_groups(run.learner.freezing, epochs, decay_biases_and_norms=True) for epochs in whole]
    if len(groups[0]) != len(groups[1]):
        raise ConfigError(
            f"trainer.max_epochs={planned}: freeze={run.config['choice']['freeze']} would treat parameters apart that "
            f"the checkpoint's {whole[0]} epochs hold in one group; train a new run: rerun {run.folder.path}"
        )


def compile_network(config: Mapping[str, Any], learner: Learner, batches: ResumableLoader) -> None:
    """Compile the network if ``trainer.compile`` is true, or if it is "auto" and the run is long enough."""
    trainer, size = config["trainer"], config["data"]["image_size"]
    on_gpu = torch.cuda.is_available() and trainer["gpus"] != 0
    images = len(batches.dataset) * trainer["max_epochs"]  # type: ignore[arg-type]
    if pays(trainer.get("compile", False), on_gpu, images, (size[0], size[1])):
        compile_in_place(
            learner.backbone, learner.head, divided=place_in_run()[1] > 1 and trainer["strategy"] == "fsdp"
        )


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
