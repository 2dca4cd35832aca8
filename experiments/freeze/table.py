"""The study's tables, in Markdown: a row a policy, mean and deviation over seeds, difference to training everything.

python experiments/freeze/table.py runs/freeze
"""

import statistics
import sys
from pathlib import Path

from vggexp.report.compare import Setting, groups, paired_difference
from vggexp.report.runs import read_runs


def main() -> None:
    """Print one table a task and data set."""
    runs = [run for run in read_runs(Path(sys.argv[1])) if not run.name.endswith("source")]
    for group in groups(runs):
        baseline = group.settings[0]
        test = next(run.score(of="baseline") for run in group.runs if run.status.word == "finished")
        print(f"\n### {group.task} on {group.data}: {group.metric} (baseline {test:.3f})\n")
        print("| policy | mean | sd | minus `none`, 95 % interval | trained | seconds | peak MiB |")
        print("|---|---:|---:|---:|---:|---:|---:|")
        for setting in group.settings:
            if len(setting.by_seed()) > 1:  # a sweep that still runs
                print(row(setting, baseline))


def row(setting: Setting, baseline: Setting) -> str:
    """One policy's line."""
    label = setting.label.replace("none backbone.weights=none", "none, from scratch")
    scores = list(setting.by_seed().values())
    found = paired_difference(setting.by_seed(), baseline.by_seed())
    assert found is not None
    far = "" if setting is baseline else f"{found.mean:+.3f} ± {found.half_width:.3f}"
    costs = " | ".join(f"{setting.cost(name):,.0f}" for name in ("trainable_parameters", "seconds", "peak_memory_mib"))
    return f"| {label} | {statistics.fmean(scores):.3f} | {statistics.stdev(scores):.3f} | {far} | {costs} |"


if __name__ == "__main__":
    main()
