"""One training from its built network on: observe the targets, fit, test the best checkpoint, write the summary."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytorch_lightning as pl
import torch

from vggexp.callback.prune import Prune
from vggexp.distributed.fsdp import load_full
from vggexp.distributed.processes import place_in_run
from vggexp.distributed.signals import defer, undisguised
from vggexp.learner.compile import compile_in_place, pays
from vggexp.learner.learner import Learner
from vggexp.report.console import print_run
from vggexp.report.freeze_table import print_freezing
from vggexp.report.summary import summarize
from vggexp.sample.loader import ResumableLoader
from vggexp.sweep.data_stamp import write_stamp
from vggexp.trainer.assembly import Training, assemble, feature_caches
from vggexp.trainer.choosing import choose, chooses
from vggexp.trainer.data_notes import print_problems, write_skipped, write_splits
from vggexp.trainer.disk_space import check_space
from vggexp.trainer.lightning_trainer import ending, make_trainer
from vggexp.trainer.network import Network
from vggexp.trainer.objective import check_objective
from vggexp.trainer.resume import restore_position
from vggexp.transfer.checkpoint import read_checkpoint
from vggexp.transfer.sources import write_sources
from vggexp.types import Data


def fit_and_test(config: Mapping[str, Any], data: Data, network: Network, go_on: bool) -> int:
    """Train a network that was built from the config, test it and write the summary.

    Args:
        go_on: resume from the folder's last checkpoint.
    """
    run = assemble(config, data, network)
    run.splits.check()
    if place_in_run()[0] == 0:
        run.splits.check_files()
    if chooses(run.learner):
        choose(run.learner, run.splits, run.folder, go_on)
        run = replace(run, splits=replace(run.splits, features=feature_caches(run.learner, config)[0]))
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
        write_stamp(run.folder, config)
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


def compile_network(config: Mapping[str, Any], learner: Learner, batches: ResumableLoader) -> None:
    """Compile the network if ``trainer.compile`` is true, or if it is "auto" and the run is long enough."""
    trainer, size = config["trainer"], config["data"]["image_size"]
    on_gpu = torch.cuda.is_available() and trainer["gpus"] != 0
    images = len(batches.dataset) * trainer["max_epochs"]  # type: ignore[arg-type]
    if pays(trainer.get("compile", False), on_gpu, images, (size[0], size[1])):
        compile_in_place(
            learner.backbone, learner.head, divided=place_in_run()[1] > 1 and trainer["strategy"] == "fsdp"
        )
