"""Builds the optimizer and its parameter groups, which stay the same for the whole run.

A changing freeze policy never adds or removes a group: a frozen parameter has no gradient, and every optimizer here
skips such parameters, including their momentum and weight decay. Schedules, weight averaging and resume therefore see
the same groups in every step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch.optim import Optimizer

from vggexp.learner.freezing import Freezing


@dataclass(frozen=True)
class Pull:
    """L2-SP: which parameters are pulled towards their start (``callback/start_pull.py``), and how strongly."""

    alpha: float = 0.0
    started: tuple[str, ...] = ()
    """How the names of those parameters begin."""


def parameter_groups(
    freezing: Freezing, epochs: int, decay_biases_and_norms: bool, pull: Pull = Pull()
) -> list[dict[str, Any]]:
    """Split the parameters into groups; each parameter, compared by identity, is in exactly one.

    A constant policy leaves out frozen parameters; a changing policy includes all parameters. The parameters of a group
    belong to the same part, all have weight decay or all have none, and share the learning-rate factor of every epoch.

    Args:
        freezing: the policy, bound to the network.
        epochs: epochs of the run, more than 0.
        decay_biases_and_norms: false: no weight decay for biases and normalisation layers.
        pull: what would have weight decay, and started from other weights, is pulled towards them instead.

    Returns:
        Groups with ``params``, a ``name`` such as "stage5 spared" (without weight decay), and ``factors``: one per
        epoch, or a single one for a constant policy; those that are pulled have the strength as ``pull``.
    """
    trained = freezing.trained(epochs)
    part_of = {id(p): name for name, part in freezing.parts.items() for p in part.parameters()}
    table = freezing.rates(epochs)
    groups: dict[tuple[object, ...], dict[str, Any]] = {}
    rows = zip(freezing.parameters, trained, zip(*table, strict=True), strict=True)
    for (info, parameter), trains, factors in rows:
        if freezing.constant and not trains:
            continue
        is_spared = not decay_biases_and_norms and (info.is_bias or info.is_norm)
        is_pulled = pull.alpha > 0 and not is_spared and info.name.startswith(pull.started)
        name = f"{part_of[id(parameter)]} {'spared' if is_spared else 'pulled' if is_pulled else 'decayed'}"
        group = groups.setdefault((name, factors), {"params": [], "name": name, "factors": list(factors)})
        group["params"].append(parameter)
        if is_spared or is_pulled:
            group["weight_decay"] = 0.0
        if is_pulled:
            group["pull"] = pull.alpha
    return list(groups.values())


def make_optimizer(
    create: Callable[..., Optimizer],
    freezing: Freezing,
    epochs: int,
    decay_biases_and_norms: bool,
    pull: Pull = Pull(),
) -> Optimizer:
    """Build the optimizer of a run. Each step uses the group's learning rate times its factor in the epoch.

    Raises:
        ValueError: no parameter is trainable.
    """
    groups = parameter_groups(freezing, epochs, decay_biases_and_norms, pull)
    for group in groups:
        group["factor"] = group["factors"][0]
    optimizer = create(groups)
    if any(factor not in (0, 1) for group in groups for factor in group["factors"]):
        _scale_steps(optimizer)
    return optimizer


def begin_epoch(optimizer: Optimizer, epoch: int) -> None:
    """Set every group's factor for an epoch."""
    for group in optimizer.param_groups:
        group["factor"] = group["factors"][min(epoch, len(group["factors"]) - 1)]


def _scale_steps(optimizer: Optimizer) -> None:
    """Apply the factors during a step only: schedules compute the next rate from the current, unscaled one."""
    scheduled: list[Any] = []

    def scale(optimizer: Optimizer, _args: Any, _kwargs: Any) -> None:
        scheduled[:] = [group["lr"] for group in optimizer.param_groups]
        for group in optimizer.param_groups:
            group["lr"] = group["lr"] * group["factor"]

    def restore(optimizer: Optimizer, _args: Any, _kwargs: Any) -> None:
        for group, rate in zip(optimizer.param_groups, scheduled, strict=True):
            group["lr"] = rate

    optimizer.register_step_pre_hook(scale)
    optimizer.register_step_post_hook(restore)
