"""The line between two runs' weights: loss and score on it, and the barrier that the loss has to cross.

Frankle et al., "Linear Mode Connectivity and the Lottery Ticket Hypothesis", ICML 2020 (arXiv 1912.05671): two runs lie
in one basin if the loss hardly rises on the line between them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from vggexp.deploy.batch_statistics import estimate, moved_norms
from vggexp.learner.learner import Learner
from vggexp.transfer.average import State, weighted
from vggexp.types import Batch

Scores = Mapping[str, float]


def shares(points: int) -> list[float]:
    """The second run's shares at this many points, both ends included.

    >>> shares(3)
    [0.0, 0.5, 1.0]
    """
    return [place / (points - 1) for place in range(points)]


def barrier(values: Sequence[float], at: Sequence[float], mode: str = "min") -> float:
    """The most by which a curve is worse than the straight line between its ends; 0 if it nowhere is.

    >>> barrier([1.0, 3.0, 2.0], [0.0, 0.5, 1.0])
    1.5
    >>> barrier([0.9, 0.5, 0.7], [0.0, 0.5, 1.0], mode="max")
    0.3
    """
    sign = 1 if mode == "min" else -1
    line = [(1 - share) * values[0] + share * values[-1] for share in at]
    return round(max(0.0, *(sign * (value - level) for value, level in zip(values, line, strict=True))), 12)


def along(
    learner: Learner,
    states: tuple[State, State],
    points: int,
    training: Iterable[Batch],
    images: int,
    score: Callable[[Learner], Scores],
) -> dict[str, Any]:
    """Scores at points of the line. The learner ends with the first state.

    Args:
        training: batches of training images, for the statistics of batch normalisation; read anew at each point.
        images: the most of them to read.
        score: the scores of the learner as it is.

    Returns:
        ``share`` of the second run at each point, ``scores`` there, and ``estimated``, how many layers' statistics were
        estimated anew, at the ends too.
    """
    names = moved_norms(learner, states)
    found = []
    for share in shares(points):
        learner.load_state_dict(weighted(states, (1 - share, share)))
        estimate(learner, training, names, images)
        found.append(dict(score(learner)))
    learner.load_state_dict(states[0])
    return {"share": shares(points), "scores": found, "estimated": len(names)}
