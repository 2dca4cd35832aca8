"""What a freeze policy costs on this machine: trained parameters, seconds an epoch, with the feature cache too."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from vggexp.cache.eligible import deepest_entrance
from vggexp.distributed.device import device_kind, resolve_precision
from vggexp.learner.freezing import Freezing
from vggexp.learner.learner import Learner
from vggexp.learner.optimizer import make_optimizer
from vggexp.trainer.build import build
from vggexp.types import Batch

_DTYPES = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}

LONG = 5.0
"""Seconds. A first step that takes longer is not repeated: what only a first step does is then little of it."""


@dataclass(frozen=True)
class Cost:
    """The cost of one policy."""

    parameters: int
    """Parameters that train."""
    seconds: float | None
    """Of an epoch's training steps without the feature cache; None: not measured."""
    cached: float | None
    """The same from cached features; None: not measured, or no stage is frozen."""


def cost(learner: Learner, config: Mapping[str, Any], batch: Batch, stage: int, steps: int, batches: int) -> Cost:
    """Time the training steps on one batch with the first stages frozen. Changes the learner's weights.

    Args:
        stage: the number of frozen first stages, 0 to 5.
        steps: timed steps, after one that is not timed; 0: none.
        batches: steps of an epoch.
    """
    policy = build("freeze", {"_target_": "vggexp.freeze.stage.Stages", "stages": stage})
    assert isinstance(learner.head, nn.Module)
    learner.freezing = Freezing(policy, learner.backbone, learner.head)
    learner.freezing.apply(0)
    learner.train()
    count = sum(one.numel() for _, one in learner.freezing.parameters if one.requires_grad)
    if not steps:
        return Cost(count, None, None)
    whole = _seconds(learner, config, batch, steps) * batches
    if not stage or deepest_entrance(learner.head) < stage:
        return Cost(count, whole, None)
    learner.entrance = (stage, (batch["image"].shape[-2], batch["image"].shape[-1]))
    return Cost(count, whole, _seconds(learner, config, _with_features(learner, batch, stage), steps) * batches)


def _seconds(learner: Learner, config: Mapping[str, Any], batch: Batch, steps: int) -> float:
    """The median time of a training step after the first; the first step's, if it takes long."""
    device = device_kind(config["trainer"]["gpus"])
    dtype = _DTYPES.get(resolve_precision(config["trainer"]["precision"], device))
    learner.to(device)
    own: Any = {key: value.to(device) for key, value in batch.items()}  # type: ignore[attr-defined]
    optimizer = make_optimizer(build("optimizer", config["optimizer"]), learner.freezing, 1, True)
    times = []
    for _ in range(steps + 1):
        start = time.perf_counter()
        with torch.autocast(device, dtype, enabled=dtype is not None):
            loss = learner.task.loss(learner.outputs(own), own)["loss"]
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
        if times[0] > LONG:
            return times[0]
    return sorted(times[1:])[steps // 2]


@torch.no_grad()
def _with_features(learner: Learner, batch: Batch, stage: int) -> Batch:
    x = learner.backbone.normalize(batch["image"].to(next(iter(learner.freezing.parameters))[1].device))
    for part in learner.backbone.stages()[:stage]:
        x = part(x)
    return {**{key: value for key, value in batch.items() if key != "image"}, "feature": x}  # type: ignore[typeddict-item]
