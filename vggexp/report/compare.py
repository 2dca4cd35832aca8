"""Compares runs: groups them by setting; repeats are seeds or folds; paired differences, intervals, Pareto fronts."""

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vggexp.config.check import needs
from vggexp.report.config_keys import distinguishing
from vggexp.report.runs import Repeat, Run
from vggexp.report.student import half_width

LISTED = 4
"""Maximum number of class names in a data set's title."""

Score = float
Names = tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """Runs that differ only in the seed, or in the fold that they validate on."""

    label: str
    runs: tuple[Run, ...]

    @property
    def finished(self) -> list[Run]:
        """The finished runs."""
        return [run for run in self.runs if run.status.word == "finished"]

    def by_seed(self, metric: str | None = None) -> dict[Repeat, Score]:
        """The test score (default: of the objective) of each seed, or of each seed and fold; of equal ones the mean.

        Uses finished runs only; the others have only validation scores up to the epoch where they stopped.
        """
        found: dict[Repeat, list[Score]] = defaultdict(list)
        for run in self.finished:
            if (score := run.score(metric)) is not None and math.isfinite(score):
                found[run.repeat].append(score)
        order = sorted(found, key=lambda repeat: repeat if isinstance(repeat, tuple) else (repeat, -1))
        return {repeat: statistics.fmean(found[repeat]) for repeat in order}

    def cost(self, name: str) -> float | None:
        """The median of "trainable_parameters", "seconds" or "peak_memory_mib" over its finished runs."""
        values = [run.summary[name] for run in self.finished if run.summary.get(name) is not None]
        return statistics.median(values) if values else None


@dataclass(frozen=True)
class Group:
    """The runs of one task on one data set, by setting."""

    task: str
    data: str
    metric: str
    mode: str
    settings: tuple[Setting, ...]

    @property
    def runs(self) -> list[Run]:
        """The runs of all settings."""
        return [run for setting in self.settings for run in setting.runs]


def groups(runs: Iterable[Run]) -> list[Group]:
    """Group runs by task, data set and objective. Data sets with other class names, or another order, differ."""
    runs = list(runs)
    titles = _titles(runs)
    together: dict[tuple[str, str, str], list[Run]] = defaultdict(list)
    for run in runs:
        data = titles.get((_data(run), _names(run)), _data(run))
        together[data, run.choice["task"], run.metric].append(run)
    return [
        Group(task, data, metric, members[0].summary["objective"]["mode"], tuple(_settings(members)))
        for (data, task, metric), members in together.items()
    ]


def _titles(runs: Sequence[Run]) -> dict[tuple[str, Names], str]:
    """A title for each list of class names, if one data set name has several lists, as with two image folders.

    Tasks are looked at apart: a segmentation's classes include the background.
    """
    lists: dict[tuple[str, str], dict[Names, None]] = defaultdict(dict)  # in the order of the runs
    for run in runs:
        lists[_data(run), run.choice["task"]].setdefault(_names(run))
    titles: dict[tuple[str, Names], str] = {}
    for (data, _), known in lists.items():
        several = [names for names in known if names]
        for names in several if len(several) > 1 else ():
            title = f"{data} ({', '.join(names[:LISTED])}{', ...' if len(names) > LISTED else ''})"
            titles[data, names] = f"{title} {len(titles) + 1}" if title in titles.values() else title
    return titles


def _names(run: Run) -> Names:
    """The class names that the run's task uses; () if none, or if the run did not record any."""
    if "classes" not in run.summary:
        return ()
    wanted = needs(run.config)
    classes = run.summary["classes"]
    lists = {"label": classes, "labels": classes, "mask": run.summary["mask_classes"]}
    return tuple(str(name) for target, names in lists.items() if target in wanted for name in names)


def _data(run: Run) -> str:
    classes = run.config["data"].get("classes")
    return str(run.choice["data"]) + (f" ({', '.join(map(str, classes))})" if classes else "")


def _settings(runs: Sequence[Run]) -> list[Setting]:
    keys = distinguishing(runs)
    usual = {key: Counter(values).most_common(1)[0][0] for key, values in keys.items()}
    varied = [group for group in ("backbone", "head") if len({run.choice.get(group) for run in runs}) > 1]
    members: dict[str, list[Run]] = defaultdict(list)
    for place, run in enumerate(runs):
        words = [str(run.choice["freeze"]), *(f"{group}={run.choice.get(group)}" for group in varied)]
        words += [f"{key}={values[place]}" for key, values in keys.items() if values[place] != usual[key]]
        members[" ".join(words)].append(run)
    order = sorted(members, key=lambda label: (label != "none", label))  # the reference comes first
    return [Setting(label, tuple(members[label])) for label in order]


@dataclass(frozen=True)
class Difference:
    """A setting's scores minus the reference's, paired by seed and fold."""

    mean: float
    half_width: float | None
    """Half width of the 95 % confidence interval (Student's t); None with fewer than two common repeats."""
    seeds: int


def paired_difference(ours: Mapping[Repeat, Score], reference: Mapping[Repeat, Score]) -> Difference | None:
    """The mean difference over common repeats, with its confidence interval; None without common repeats."""
    differences = [ours[seed] - reference[seed] for seed in ours if seed in reference]
    if not differences:
        return None
    return Difference(statistics.fmean(differences), half_width(differences), len(differences))


def pareto(points: Sequence[tuple[float, float]], mode: str) -> list[int]:
    """Indices of the Pareto-optimal points (cost, score), by ascending cost.

    >>> pareto([(1, 0.5), (2, 0.4), (3, 0.9)], "max")
    [0, 2]
    """
    sign = 1 if mode == "max" else -1
    order = sorted(range(len(points)), key=lambda place: (points[place][0], -sign * points[place][1]))
    front: list[int] = []
    for place in order:
        if not front or sign * points[place][1] > sign * points[front[-1]][1]:
            front.append(place)
    return front
