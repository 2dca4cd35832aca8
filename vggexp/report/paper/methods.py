"""A methods paragraph for each group, from what its runs recorded."""

import csv
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vggexp.report.compare import Group
from vggexp.report.runs import Run

_MOST = 4
"""Different values that are named; of more, their number."""


def methods(groups: Sequence[Group]) -> list[str]:
    """One paragraph for each group, and one on statistics and software."""
    runs = [run for group in groups for run in group.runs]
    versions = _each(runs, lambda run: ", ".join(f"{name} {number}" for name, number in _versions(run).items()))
    devices = _each(runs, lambda run: f"{run.summary.get('device', '')} ({run.summary.get('precision', '')})")
    commits = _each(runs, lambda run: str(run.summary.get("git_commit") or ""))
    statistics = (
        "Scores are of the test split, computed once, with the weights of the epoch that was best on validation. We "
        "report the mean and the standard deviation over the repeats of a setting, and compare each setting with the "
        "best of its column by a t-test paired by repeat, Holm-corrected within the column. The constant prediction "
        "(the most frequent class, the mean box) is scored on the same images."
    )
    software = f"Hardware: {devices}. Software: {versions}{f', commit {commits}' if commits else ''}."
    return [*map(_group, groups), statistics, software]


def _group(group: Group) -> str:
    runs = [run for setting in group.settings for run in setting.finished] or group.runs
    sizes = _each(runs, lambda run: " x ".join(map(str, run.config["data"].get("image_size", ()))))
    network = _each(runs, lambda run: f"{run.choice.get('backbone')} with head {run.choice.get('head')}")
    width = _key(runs, "backbone", "width")
    weights = _key(runs, "backbone", "weights")
    optimizer = _each(runs, lambda run: str(run.choice.get("optimizer", "")))
    seeds = sorted({run.seed for run in runs})
    folds = sorted({run.repeat[1] for run in runs if isinstance(run.repeat, tuple)})
    sentences = [
        f"{group.task.capitalize()} on {group.data}{f' at {sizes} pixels' if sizes else ''}{_splits(runs)}.",
        f"Network: {network}{f', width {width}' if width not in ('', '1.0', '1') else ''}; "
        f"initial weights: {'random' if weights in ('', 'none') else weights}.",
        f"Settings: {_several([setting.label for setting in group.settings], 12)}.",
        f"Training: {_key(runs, 'trainer', 'max_epochs')} epochs, batches of {_key(runs, 'data', 'batch_size')}, "
        f"{optimizer} at a learning rate of {_key(runs, 'optimizer', 'lr')}, schedule "
        f"{_each(runs, lambda run: str(run.choice.get('scheduler', '')))}, model selection by "
        f"{runs[0].summary['objective']['metric']}.",
        f"Repeats: seeds {_several(list(map(str, seeds)), 20)}"
        f"{f'; folds {_several(list(map(str, folds)), 20)}' if folds else ''} ({len(runs)} finished runs).",
    ]
    return " ".join(sentences)


def _splits(runs: Sequence[Run]) -> str:
    """How many photos each split has, from the first ``splits.csv``; "" if no run wrote one."""
    for run in runs:
        if run.folder.splits.exists():
            with run.folder.splits.open(encoding="utf-8", newline="") as file:
                counts = Counter(row["split"] for row in csv.DictReader(file) if row.get("split"))
            return f" ({', '.join(f'{split} {count}' for split, count in counts.items())} images)"
    return ""


def _versions(run: Run) -> Mapping[str, str]:
    found: Mapping[str, str] = run.summary.get("versions", {})
    return found


def _key(runs: Sequence[Run], group: str, key: str) -> str:
    def value(run: Run) -> str:
        found: Any = (run.config.get(group) or {}).get(key)
        return "none" if found is None else str(found)

    return _each(runs, value)


def _each(runs: Sequence[Run], value: Callable[[Run], str]) -> str:
    return _several([found for found in dict.fromkeys(map(value, runs)) if found], _MOST)


def _several(values: Sequence[str], most: int) -> str:
    """The values as a list of words.

    >>> _several(["a", "b", "c"], 4), _several(["a", "b", "c"], 2)
    ('a, b and c', '3 values')
    """
    if len(values) > most:
        return f"{len(values)} values"
    return " and ".join([", ".join(values[:-1]), values[-1]] if len(values) > 1 else values)
