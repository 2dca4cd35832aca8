"""What the page's script computes with: each run's scores and costs, each group's settings, the table of runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from vggexp.report.compare import Group, Setting
from vggexp.report.config_keys import SHOWN
from vggexp.report.figures import COSTS
from vggexp.report.gallery import anchor
from vggexp.report.layout import Accents
from vggexp.report.runs import Run
from vggexp.report.scores import Score, scores
from vggexp.report.student import quantile

_SCORES = {"IoU": ("box_iou", "miou"), "Dice": ("box_dice", "mdice"), "top-1": ("top1",)}
_COSTS = {"trained parameters": "trainable_parameters", "seconds": "seconds", "peak MiB": "peak_memory_mib"}
_DEGREES = 200
"""Repeats above which the normal distribution's quantile stands for Student's."""


def page_data(
    runs: Sequence[Run], groups: Sequence[Group], accents: Accents, differing: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Everything, in plain types. Runs are in the order of ``runs``; each names its group and setting by place.

    Args:
        differing: the keys in which runs differ, with each run's value (``config_keys.distinguishing``).
    """
    shown = [scores(group) for group in groups]
    where = {
        run.name: (place, row)
        for place, group in enumerate(groups)
        for row, setting in enumerate(group.settings)
        for run in setting.runs
    }
    most = max(len(setting.runs) for group in groups for setting in group.settings)
    columns, rows = _table(runs, differing)
    return {
        "groups": [_group(*pair, accents) for pair in zip(groups, shown, strict=True)],
        "costs": list(COSTS.values()),
        "runs": [_run(run, *where[run.name], shown[where[run.name][0]]) for run in runs],
        "anchors": [anchor(run.name) for run in runs],
        "columns": columns,
        "rows": rows,
        "t": [None, *map(quantile, range(1, min(most, _DEGREES) + 1))],
    }


def _group(group: Group, shown: Sequence[Score], accents: Accents) -> dict[str, Any]:
    return {
        "name": f"{group.task.replace('_', ' ')} on {group.data}",
        "scores": [
            {"metric": one.metric, "title": one.title, "mode": one.mode, "baseline": one.baseline} for one in shown
        ],
        "settings": [_setting(setting, accents) for setting in group.settings],
        "repeat": _repeat_word(group),
    }


def _setting(setting: Setting, accents: Accents) -> dict[str, str]:
    return {"label": setting.label, "colour": accents[setting.label].colour}


def _repeat_word(group: Group) -> str:
    """What the runs of a setting differ in: "seed", "fold" or "seed and fold".

    Of a group with a fold anywhere, seeds count only if they differ.
    """
    repeats = [run.repeat for setting in group.settings for run in setting.runs]
    folded = [repeat for repeat in repeats if isinstance(repeat, tuple)]
    if not folded:
        return "seed"
    return "seed and fold" if len({seed for seed, _ in folded}) > 1 else "fold"


def _run(run: Run, group: int, setting: int, shown: Sequence[Score]) -> list[Any]:
    """[group, setting, repeat, whether it is finished, scores, costs]."""
    repeat = "/".join(map(str, run.repeat)) if isinstance(run.repeat, tuple) else str(run.repeat)
    is_finished = run.status.word == "finished"
    costs = [run.summary.get(name) for name in COSTS] if is_finished else []
    return [group, setting, repeat, int(is_finished), [run.score(one.metric) for one in shown], costs]


def _table(runs: Sequence[Run], keys: Mapping[str, Sequence[str]]) -> tuple[list[dict[str, Any]], list[list[Any]]]:
    """Columns (title, kind: text | score | count) and each run's row."""
    has_folds = any(isinstance(run.repeat, tuple) for run in runs)
    kinds = {
        **dict.fromkeys(("run", "status", *SHOWN, "objective"), "text"),
        "seed": "count",
        **({"fold": "count"} if has_folds else {}),
        **dict.fromkeys(("score", "baseline", *_SCORES), "score"),
        **dict.fromkeys(_COSTS, "count"),
    }
    columns: list[dict[str, Any]] = [{"title": name, "kind": kind} for name, kind in kinds.items()]
    columns += [{"title": key, "kind": "text", "key": True} for key in keys]
    return columns, [_row(run, place, keys, has_folds) for place, run in enumerate(runs)]


def _row(run: Run, place: int, keys: Mapping[str, Sequence[str]], has_folds: bool) -> list[Any]:
    fold = [run.repeat[1] if isinstance(run.repeat, tuple) else None] if has_folds else []
    return [
        run.name, str(run.status), *(str(run.choice.get(group, "")) for group in SHOWN), run.metric, run.seed, *fold,
        run.score(), run.score(of="baseline"), *(_first(run, names) for names in _SCORES.values()),
        *(run.summary.get(name) for name in _COSTS.values()), *(values[place] for values in keys.values()),
    ]  # fmt: skip


def _first(run: Run, names: Sequence[str]) -> float | None:
    return next((score for name in names if (score := run.score(name)) is not None), None)
