"""Which scores the page and the tables show for a group, and what they are called."""

from dataclasses import dataclass

from vggexp.report.compare import Group

TITLES = {
    "box_iou": "IoU", "box_dice": "Dice", "miou": "mean IoU", "mdice": "mean Dice", "top1": "top-1",
    "map": "mAP", "map50": "mAP at IoU 0.5", "map_50": "AP50", "segm_map_50": "mask AP50", "segm_map": "mask AP",
    "f1": "F1", "box_accuracy": "boxes above IoU 0.5", "score": "mean score",
}  # fmt: skip
"""Names of metrics, in the order in which they are shown; the objective comes first."""
_PARTNERS = ("box_iou", "box_dice", "miou", "mdice", "top1", "map", "map50", "f1")
_MOST, _MOST_OF_PARTS = 2, 5


def title(metric: str) -> str:
    """What a metric is called.

    >>> title("miou"), title("pixel_accuracy")
    ('mean IoU', 'pixel accuracy')
    """
    return TITLES.get(metric, metric.replace("_", " "))


@dataclass(frozen=True)
class Score:
    """One score of a group."""

    metric: str
    title: str
    mode: str
    """max | min"""
    baseline: float | None
    """What the constant prediction reaches on the same images."""


def scores(group: Group) -> list[Score]:
    """The objective, and the other scores of its task: IoU with Dice, top-1 with F1; with several tasks each task's."""
    runs = [run for setting in group.settings for run in setting.runs]
    known = [name for name in _PARTNERS if name != group.metric and any(run.score(name) is not None for run in runs)]
    most = _MOST_OF_PARTS if group.task == "multitask" else _MOST
    chosen = [group.metric, *known[: most - 1 if group.metric in TITLES else most]]
    return [
        Score(
            metric,
            title(metric),
            group.mode if metric == group.metric else "max",
            next((value for run in runs if (value := run.score(metric, "baseline")) is not None), None),
        )
        for metric in chosen
    ]
