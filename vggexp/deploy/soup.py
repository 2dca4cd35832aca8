"""Averages of the weights of several finished runs.

Wortsman et al., "Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing
inference time", ICML 2022 (arXiv 2203.05482): of runs that started from the same weights, the average often scores
better than the best of them, and costs no more in use than one.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vggexp.errors import ConfigError
from vggexp.run_folder import RunFolder
from vggexp.transfer.average import State, mismatch
from vggexp.transfer.class_names import require_same_names
from vggexp.types import DataInfo

Config = Mapping[str, Any]
Members = tuple[int, ...]
"""The places of the runs that are averaged."""


@dataclass(frozen=True)
class Tried:
    """One average and its score on the validation split."""

    members: Members
    score: float
    kept: bool
    """Whether the greedy average went on from it."""


def is_better(score: float, best: float, mode: str) -> bool:
    """Whether a score is at least as good as the best so far; NaN never is."""
    return score >= best if mode == "max" else score <= best


def by_score(scores: Sequence[float], mode: str) -> list[int]:
    """The places of the runs, the best first; those without a score last.

    >>> by_score([0.5, float("nan"), 0.9], "max")
    [2, 0, 1]
    """
    sign = -1 if mode == "max" else 1
    return sorted(range(len(scores)), key=lambda place: (scores[place] != scores[place], sign * scores[place], place))


def greedy(scores: Sequence[float], mode: str, score: Callable[[Members], float]) -> list[Tried]:
    """The paper's recipe 1: from the best run on, in the order of their scores, a run joins if it does no harm.

    Args:
        scores: each run's own, on the validation split.
        mode: "max" or "min".
        score: that of an average of some runs, on the same split.

    Returns:
        Each average that was tried, in order; the last one ``kept`` is the result.
    """
    order = by_score(scores, mode)
    members: Members = (order[0],)
    best = scores[order[0]]
    tried = [Tried(members, best, True)]
    for place in order[1:]:
        wider = (*members, place)
        found = score(wider)
        joins = is_better(found, best, mode)
        tried.append(Tried(wider, found, joins))
        if joins:
            members, best = wider, found
    return tried


def require_alike(
    names: Sequence[str], configs: Sequence[Config], infos: Sequence[DataInfo], states: Sequence[State],
    targets: frozenset[str],
) -> None:  # fmt: skip
    """ConfigError unless the runs are of one network, one task and one data set, divided in one way."""
    if len(names) < 2:
        raise ConfigError("soup: give two or more runs of one network, such as: soup runs/a runs/b output=runs/soup")
    for place in range(1, len(names)):
        where = f"soup: {names[0]} and {names[place]}"
        for group in ("task", "data"):
            pair = [configs[each]["choice"][group] for each in (0, place)]
            if pair[0] != pair[1]:
                raise ConfigError(f"{where} have {group}={pair[0]} and {group}={pair[1]}; average runs of one {group}")
        require_same_names(
            infos[0], infos[place], targets, (names[0], names[place]), "average runs on the same classes"
        )
        sizes = [configs[each]["data"]["image_size"] for each in (0, place)]
        if sizes[0] != sizes[1]:
            raise ConfigError(f"{where} see images of {sizes[0]} and {sizes[1]} pixels; average runs of one size")
        if why := mismatch(states[0], states[place]):
            raise ConfigError(f"{where} are of different networks: {why}; average runs of one network")
        _require_same_split(names, place)


def _require_same_split(names: Sequence[str], place: int) -> None:
    """ConfigError if one of two runs may have been trained on the images on which the average is chosen."""
    prints = [RunFolder(names[each]).read_summary().get("fingerprint", {}).get("val") for each in (0, place)]
    if None not in prints and prints[0] != prints[1]:
        raise ConfigError(
            f"soup: {names[0]} and {names[place]} were validated on other images, so one may have been trained on "
            "those on which the average is chosen; average runs of one division"
        )


def digest(path: Path) -> str:
    """Twelve digits of the SHA-256 of a run's checkpoint, for the record of what was averaged."""
    file = RunFolder(path).best if path.is_dir() else path
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
