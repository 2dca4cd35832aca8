"""What distinguishes runs, and what the differences are worth: settings, seeds, paired differences, Pareto fronts."""

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vggexp.config.check import needs
from vggexp.report.runs import Run

SHOWN = ("task", "data", "backbone", "head", "freeze")
"""The choices that have a column of their own."""
_INCIDENTAL = ("run.", "seed", "choice.", "debug", "logger", "callback", "baseline", "test", "trainer.log_every")

LISTED = 4
"""Class names in a data set's title."""

Score = float
Names = tuple[str, ...]


def flat(config: Any, prefix: str = "") -> dict[str, str]:
    """A nested config as dotted keys and printed values."""
    found: dict[str, str] = {}
    for name, value in config.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = "null" if value is None else str(value)
    return found


def distinguishing(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Config keys whose values the choices and the seed do not explain: key -> a value a run ("" where it has none).

    Of keys that some runs lack, as they do a whole part's, those that tell the same runs apart are one: the first.
    """
    flats = [flat(run.config) for run in runs]
    chosen = [tuple(str(run.choice.get(group)) for group in SHOWN) for run in runs]
    found: dict[str, list[str]] = {}
    lacking: set[tuple[int, ...]] = set()
    for key in dict.fromkeys(key for one in flats for key in one):
        if is_incidental(key):
            continue
        values = [one.get(key, "") for one in flats]
        if len(set(values)) > 1 and len(set(zip(chosen, values, strict=True))) > len(set(chosen)):
            if "" in values:
                if (apart := _apart(values)) in lacking:
                    continue
                lacking.add(apart)
            found[key] = values
    return found


def _apart(values: Sequence[str]) -> tuple[int, ...]:
    """Which of the values are equal, whatever they are.

    >>> _apart(["x", "y", "x"]) == _apart(["1", "", "1"])
    True
    """
    places: dict[str, int] = {}
    return tuple(places.setdefault(value, len(places)) for value in values)


def is_incidental(key: str) -> bool:
    """Whether a key says where a run goes or how it is watched, and not what it does."""
    return key.startswith(_INCIDENTAL)


@dataclass(frozen=True)
class Setting:
    """Runs that differ in nothing but the seed."""

    label: str
    runs: tuple[Run, ...]

    @property
    def finished(self) -> list[Run]:
        """Those that came to their end."""
        return [run for run in self.runs if run.status.word == "finished"]

    def by_seed(self, metric: str | None = None) -> dict[int, Score]:
        """The test score (the objective's) of each seed; the mean of runs that repeat one.

        Finished runs alone count: of the others there is only what they had reached on validation when they stopped.
        """
        found: dict[int, list[Score]] = defaultdict(list)
        for run in self.finished:
            if (score := run.score(metric)) is not None and math.isfinite(score):
                found[run.seed].append(score)
        return {seed: statistics.fmean(scores) for seed, scores in sorted(found.items())}

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
        """All of them."""
        return [run for setting in self.settings for run in setting.runs]


def groups(runs: Iterable[Run]) -> list[Group]:
    """Runs of one task, data set and objective together; other classes, or another order, are another data set."""
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
    """A title for each list of class names, where several go by one name of a data set, as two folders' do."""
    lists: dict[str, dict[Names, None]] = defaultdict(dict)  # in the order of the runs
    for run in runs:
        lists[_data(run)].setdefault(_names(run))
    titles: dict[tuple[str, Names], str] = {}
    for data, known in lists.items():
        several = [names for names in known if names]
        for names in several if len(several) > 1 else ():
            title = f"{data} ({', '.join(names[:LISTED])}{', ...' if len(names) > LISTED else ''})"
            titles[data, names] = f"{title} {len(titles) + 1}" if title in titles.values() else title
    return titles


def _names(run: Run) -> Names:
    """The class names that the run's task reads; () if none, or if the run did not record any."""
    if "classes" not in run.summary:
        return ()
    wanted = needs(run.config)
    lists = {"label": run.summary["classes"], "mask": run.summary["mask_classes"]}
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
    order = sorted(members, key=lambda label: (label != "none", label))  # first what others are measured against
    return [Setting(label, tuple(members[label])) for label in order]


@dataclass(frozen=True)
class Difference:
    """A setting's scores less a reference's, seed by seed."""

    mean: float
    half_width: float | None
    """Of the 95 % confidence interval (Student's t); None with fewer than two common seeds."""
    seeds: int


def paired_difference(ours: Mapping[int, Score], reference: Mapping[int, Score]) -> Difference | None:
    """The mean difference over common seeds, with its interval; None if they share no seed."""
    from scipy.stats import t

    differences = [ours[seed] - reference[seed] for seed in ours if seed in reference]
    if not differences:
        return None
    count = len(differences)
    if count < 2:
        return Difference(differences[0], None, 1)
    error = statistics.stdev(differences) / math.sqrt(count)
    return Difference(statistics.fmean(differences), float(t.ppf(0.975, count - 1)) * error, count)


def pareto(points: Sequence[tuple[float, float]], mode: str) -> list[int]:
    """Places of the points (cost, score) that no other beats in both, by ascending cost.

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
