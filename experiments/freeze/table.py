"""The study's tables, in Markdown: what each policy costs in each task, then a table for each task.

python experiments/freeze/table.py runs/freeze
"""

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from vggexp.report.compare import Difference, Group, Setting, groups, paired_difference
from vggexp.report.runs import read_runs

TASKS = {"classification": "classes", "localization": "one box", "segmentation": "masks",
         "detection": "boxes", "instance_segmentation": "object masks"}  # fmt: skip
METRICS = {"top1": "top1", "box_iou": "box IoU", "miou": "mIoU", "map_50": "AP50", "segm_map_50": "mask AP50"}
ORDER = ("digits/classification", "digits/localization", "digits/segmentation", "digits/detection",
         "digits/instance_segmentation", "pets/classification", "pets/localization", "pets/segmentation",
         "camvid/segmentation", "bccd/detection")  # fmt: skip
LABELS = {"none backbone.weights=none": "none, from scratch", "none optimizer.l2_sp=0.01": "none, L2-SP"}


def main() -> None:
    """Print all tables."""
    found = study(Path(sys.argv[1]))
    print("\n".join(overview(found)))
    for group in found:
        print(f"\n### {title(group)}: {METRICS[group.metric]} (baseline {baseline(group):.3f})\n")
        print("| policy | mean | sd | minus `none`, 95 % interval | trained | seconds | peak MiB |")
        print("|---|---:|---:|---:|---:|---:|---:|")
        for setting in repeated(group):
            print(row(setting, reference(group)))


def study(root: Path) -> list[Group]:
    """The groups of the study in its order, without sources and without tasks whose reference does not exist yet."""
    runs = [run for run in read_runs(root) if "source" not in run.name]
    found = [group for group in groups(runs) if len(reference(group).by_seed()) > 1]
    return sorted(found, key=lambda group: ORDER.index(place(group)))


def place(group: Group) -> str:
    """Where its runs lie: data set and task."""
    return "/".join(group.runs[0].name.split("/")[:2])


def title(group: Group) -> str:
    """Such as "detection on bccd"."""
    return f"{group.task.replace('_', ' ')} on {place(group).partition('/')[0]}"


def reference(group: Group) -> Setting:
    """Everything trains, from the source's convolutions."""
    return next((one for one in group.settings if one.label == "none"), group.settings[0])


def repeated(group: Group) -> list[Setting]:
    """The settings with at least two finished seeds; a sweep may still be running."""
    return [one for one in group.settings if len(one.by_seed()) > 1]


def label(setting: Setting) -> str:
    """Its policy, in words."""
    return LABELS.get(setting.label, setting.label)


def baseline(group: Group) -> float:
    """The best constant prediction's score."""
    found = next(run.score(of="baseline") for run in group.runs if run.status.word == "finished")
    assert found is not None
    return found


def difference(setting: Setting, group: Group) -> Difference:
    """Its score minus the reference's, paired by seed."""
    found = paired_difference(setting.by_seed(), reference(group).by_seed())
    assert found is not None
    assert found.half_width is not None
    return found


def clear(found: Difference) -> bool:
    """Whether its interval excludes zero."""
    assert found.half_width is not None
    return abs(found.mean) > found.half_width


def overview(found: Sequence[Group]) -> list[str]:
    """Policies as rows, tasks as columns, each cell a difference with its interval; bold if it excludes zero."""
    lines = [f"| policy | {' | '.join(title(group) for group in found)} |", f"|---|{'---:|' * len(found)}"]
    scores = (f"{statistics.fmean(reference(group).by_seed().values()):.3f}" for group in found)
    lines.append(f"| `none`: the score itself | {' | '.join(scores)} |")
    for name in policies(found):
        cells = []
        for group in found:
            setting = next((one for one in repeated(group) if label(one) == name), None)
            cells.append(cell(difference(setting, group)) if setting else "")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def cell(found: Difference) -> str:
    """A difference with its interval."""
    text = f"{found.mean:+.3f} ± {found.half_width:.3f}"
    return f"**{text}**" if clear(found) else text


def policies(found: Sequence[Group]) -> list[str]:
    """The labels, from the least loss to the greatest: the mean difference over the tasks that a policy has.

    Without other learning rates, which a task's own table has.
    """
    means: dict[str, list[float]] = {}
    for group in found:
        for setting in repeated(group):
            if setting is not reference(group) and "optimizer.lr" not in setting.label:
                means.setdefault(label(setting), []).append(difference(setting, group).mean)
    return sorted(means, key=lambda name: -statistics.fmean(means[name]))


def row(setting: Setting, other: Setting) -> str:
    """One policy's line in its task's table."""
    scores = list(setting.by_seed().values())
    found = paired_difference(setting.by_seed(), other.by_seed())
    assert found is not None
    far = "" if setting is other else f"{found.mean:+.3f} ± {found.half_width:.3f}"
    costs = " | ".join(f"{setting.cost(name):,.0f}" for name in ("trainable_parameters", "seconds", "peak_memory_mib"))
    return f"| {label(setting)} | {statistics.fmean(scores):.3f} | {statistics.stdev(scores):.3f} | {far} | {costs} |"


if __name__ == "__main__":
    main()
