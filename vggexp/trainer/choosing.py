"""Measures the gradients of the first batches, before training, for a freeze policy that chooses by them."""

import os
from copy import deepcopy
from itertools import islice
from typing import Any

import torch

from vggexp.distributed.device import device_kind, resolve_precision
from vggexp.distributed.launcher import share
from vggexp.distributed.processes import place_in_run
from vggexp.errors import ConfigError, DataError
from vggexp.learner.learner import Learner
from vggexp.learner.stage_gradients import StageGradients
from vggexp.run_folder import RunFolder
from vggexp.trainer.splits import Splits
from vggexp.transfer.checkpoint import read_checkpoint


def chooses(learner: Learner) -> bool:
    """Whether the run's policy decides once, by what is measured before training."""
    policy = learner.freezing.measuring
    return policy is not None and learner.freezing.constant


def choose(learner: Learner, splits: Splits, folder: RunFolder, go_on: bool) -> None:
    """Let the policy choose, and freeze what it did not choose.

    Args:
        splits: without feature caches.
        folder: the run folder.
        go_on: the last checkpoint has what was measured; else it is measured, by rank 0 for all.
    """
    policy = learner.freezing.measuring
    assert policy is not None
    if go_on:
        rows = read_checkpoint(folder.last).get("measured")
        if not isinstance(rows, list) or len(rows) != 1:
            raise DataError(f"{folder.last} does not say what the freeze policy measured before training")
    else:
        rows = share("measured", None if place_in_run()[0] else [_relative_norms(learner, splits, policy.window)])
    policy.measured[:] = rows
    try:
        learner.freezing.apply(0)
    except ValueError as error:  # more stages than there are
        raise ConfigError(str(error)) from error


def _relative_norms(learner: Learner, splits: Splits, batches: int) -> list[float]:
    """Of each stage, with all parameters trainable; it prints them.

    Leaves weights, statistics and random numbers as they were.
    """
    task = deepcopy(learner.task)
    loader = splits.loader("train", shuffle=True)
    splits.observe(task, loader.dataset)
    kind = device_kind(splits.config["trainer"]["gpus"])
    device = torch.device(f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if kind == "cuda" else kind)
    half = resolve_precision(splits.config["trainer"]["precision"], kind) == "bf16-mixed"
    buffers = {name: buffer.clone() for name, buffer in learner.named_buffers()}
    gradients = StageGradients(learner.freezing)
    learner.to(device)
    for _, parameter in learner.freezing.parameters:
        parameter.requires_grad_(True)
    learner.train()
    with torch.random.fork_rng():
        torch.manual_seed(splits.config["seed"])
        for batch in islice(iter(loader), batches):
            own: Any = {name: value.to(device) for name, value in batch.items()}
            with torch.autocast(kind, torch.bfloat16, enabled=half):
                loss = task.loss(learner.outputs(own), own)["loss"]
            learner.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            gradients.add()
    learner.zero_grad()
    learner.to("cpu")
    with torch.no_grad():
        for name, buffer in learner.named_buffers():
            buffer.copy_(buffers[name])
    norms = gradients.relative_norms()
    said = ", ".join(f"stage{stage} {norm:.2g}" for stage, norm in enumerate(norms, 1))
    print(f"freeze: relative gradient norms over {min(batches, len(loader))} batches: {said}", flush=True)
    return norms
