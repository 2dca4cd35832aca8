"""Finds an objective that nobody logs before the training, not after its first epoch."""

import warnings
from collections.abc import Iterable

import torch

from vggexp.errors import ConfigError, did_you_mean
from vggexp.learner.learner import Learner
from vggexp.types import Batch


def check_objective(learner: Learner, val: Iterable[Batch]) -> None:
    """ConfigError unless a validation logs the objective.

    Args:
        val: the validation split. Its first batch is scored if the metrics do not name the objective by themselves.
    """
    metric = learner.objective[0].partition("/")[2]
    before = torch.default_generator.get_state()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torchmetrics: computed before anything was added
        try:
            names = set(learner.task.metrics().compute())
        except (RuntimeError, ValueError, ArithmeticError):  # a task of the user's, whose scores need a sample
            names = set()
        if metric not in names:
            names |= _scored(learner, next(iter(val)))
    torch.default_generator.set_state(before)
    if metric not in names:
        near = did_you_mean(metric.removeprefix("val/"), names)
        raise ConfigError(f"objective.metric={metric} is not logged{near}")


def _scored(learner: Learner, batch: Batch) -> set[str]:
    """The names of the losses and metrics of one batch."""
    mode = learner.training
    learner.eval()
    with torch.inference_mode():
        outputs, metrics = learner.outputs(batch), learner.task.metrics()
        losses = learner.task.loss(outputs, batch)
        metrics.update(learner.task.predict(outputs), batch)
        names = {*losses, *metrics.compute()}
    learner.train(mode)
    return names
