"""What training is expected to reach with each number of frozen first stages."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from vggexp.learner.learner import Learner
from vggexp.trainer.advice.tangent import tangent
from vggexp.trainer.advice.target.contract import Floats, Target
from vggexp.transfer.score.kernel_ridge import kernel_ridge
from vggexp.types import Batch

STAGES = 5


@dataclass(frozen=True)
class Estimate:
    """The expected validation score with this number of frozen stages, the mean over the targets."""

    frozen: int
    score: float
    """0 to 1."""
    error: float
    """Its standard error over the images."""
    gap: float
    """By how much the best estimate is higher."""
    gap_error: float
    """The standard error of that difference, taken image by image."""


def estimates(
    learner: Learner, splits: Callable[[str], Iterable[Batch]], targets: Mapping[str, Target], images: int
) -> list[Estimate]:
    """An estimate for 0 to 5 frozen first stages: kernel ridge regression on the tangent kernel of what trains.

    Args:
        splits: the batches of "train" and "val", anew at each call.
        images: the most images of each split.
    """
    values = []
    for target in targets.values():
        found = tangent(learner, splits("train"), splits("val"), target, images)
        columns, truth = target.columns(found.targets[: found.train]), found.targets[found.train :]
        fits = [kernel_ridge(found.of(frozen), columns) for frozen in range(STAGES + 1)]
        values.append(np.stack([target.scored(fit, truth) for fit in fits]))
    return _compared(values)


def _compared(values: list[Floats]) -> list[Estimate]:
    """From scores (6, M) of the validation images with each number of frozen stages, for each target."""
    means = np.mean([one.mean(1) for one in values], 0)
    best = int(means.argmax())
    return [
        Estimate(
            frozen, float(means[frozen]), _error([one[frozen] for one in values]), float(means[best] - means[frozen]),
            _error([one[best] - one[frozen] for one in values]),
        )
        for frozen in range(STAGES + 1)
    ]  # fmt: skip


def _error(values: list[Floats]) -> float:
    """The standard error of the mean over targets of the mean over images."""
    return float(np.sqrt(sum(one.var() / len(one) for one in values)) / len(values))
