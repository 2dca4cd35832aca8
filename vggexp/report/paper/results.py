"""Each setting's mean, deviation and significance, for the tables of a paper.

A setting is compared with the best of its column by a t-test paired by seed and fold; the p values of a column are
corrected by Holm's method (1979, Scandinavian Journal of Statistics 6:65), because there are several comparisons.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vggexp.report.compare import Group, Setting
from vggexp.report.runs import Repeat
from vggexp.report.scores import Score, scores

LEVEL = 0.05
"""A corrected p value below this marks a setting as different from the best."""


@dataclass(frozen=True)
class Entry:
    """One setting's result at one score."""

    mean: float | None
    deviation: float | None
    """None with fewer than two repeats."""
    n: int
    rank: int
    """0: the best mean of the column, 1: the second; settings without a mean come last."""
    p: float | None
    """Corrected; None for the best, and with fewer than two common repeats."""

    @property
    def differs(self) -> bool:
        """Whether it is significantly worse than the best."""
        return self.p is not None and self.p < LEVEL


@dataclass(frozen=True)
class Column:
    """One score of a group, with an entry for each of its settings."""

    score: Score
    entries: tuple[Entry, ...]


def results(group: Group) -> list[Column]:
    """A column for each of the group's scores."""
    return [Column(score, _entries(group.settings, score)) for score in scores(group)]


def _entries(settings: Sequence[Setting], score: Score) -> tuple[Entry, ...]:
    repeats = [setting.by_seed(score.metric) for setting in settings]
    means = [statistics.fmean(found.values()) if found else None for found in repeats]
    known = [place for place, mean in enumerate(means) if mean is not None]
    sign = -1 if score.mode == "max" else 1
    order = sorted(known, key=lambda place: sign * (means[place] or 0.0))
    raw = {place: _p_value(repeats[place], repeats[order[0]]) for place in order[1:]}
    corrected = holm({place: p for place, p in raw.items() if p is not None})
    return tuple(
        Entry(
            mean,
            statistics.stdev(found.values()) if len(found) > 1 else None,
            len(found),
            order.index(place) if mean is not None else len(settings),
            corrected.get(place),
        )
        for place, (mean, found) in enumerate(zip(means, repeats, strict=True))
    )


def _p_value(ours: Mapping[Repeat, float], best: Mapping[Repeat, float]) -> float | None:
    """Of a paired two-sided t-test over the common repeats; None with fewer than two."""
    from scipy.stats import ttest_rel

    pairs = [(value, best[repeat]) for repeat, value in ours.items() if repeat in best]
    if len(pairs) < 2:
        return None
    differences = [one - other for one, other in pairs]
    if max(differences) == min(differences):  # without any spread the test has no value
        return 1.0 if differences[0] == 0 else 0.0
    return float(ttest_rel(*zip(*pairs, strict=True)).pvalue)


def holm(raw: dict[int, float]) -> dict[int, float]:
    """Holm's correction of p values.

    >>> holm({0: 0.01, 1: 0.04, 2: 0.03})
    {0: 0.03, 2: 0.06, 1: 0.06}
    """
    corrected, highest = {}, 0.0
    for done, (name, p) in enumerate(sorted(raw.items(), key=lambda item: item[1])):
        highest = max(highest, min(1.0, p * (len(raw) - done)))
        corrected[name] = round(highest, 10)
    return corrected


def says(group: Group) -> str:
    """How to read the group's table, for its caption."""
    return (
        f"{group.task.capitalize()} on {group.data}: mean ± standard deviation over n repeats, test split. "
        "Bold: best mean of the column; underlined: second. A dagger marks settings that differ from the best "
        f"(paired t-test, Holm-corrected within the column, p < {LEVEL})."
    )


def costs(setting: Setting) -> tuple[str, str]:
    """Trained parameters and seconds (medians), as text."""
    trained, seconds = setting.cost("trainable_parameters"), setting.cost("seconds")
    return "-" if trained is None else f"{trained:,.0f}", "-" if seconds is None else f"{seconds:,.0f}"
