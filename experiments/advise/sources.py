"""Do the scores of ``advise`` order sources as training does? Rank correlations over sources, in Markdown.

python experiments/advise/sources.py runs/leep

Reads what ``sources.sh`` wrote. A point is one source; its outcome is the mean test score over the seeds, on CamVid the
validation score, because the copy has no test split.
"""

import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scipy.stats import kendalltau, spearmanr

SCORES = {"leep": "LEEP", "score": "probe", "logme": "LogME", "h_score": "H-score"}
LAST = 5
"""The stage whose features are compared, for objects together with those of all stages before it."""


def main() -> None:
    """For each target print what was said of each source beside what it reached, then all correlations."""
    root = Path(sys.argv[1])
    lines = []
    for path in sorted(root.glob("*.json")):
        if reached := outcomes(root / "run" / path.stem):
            said = scores(path)
            print(*table(path.stem, said, reached), sep="\n")
            lines.append(f"| {path.stem} | {' | '.join(correlations(said, reached))} | {len(reached)} |")
    print(f"| target | {' | '.join(SCORES.values())} | n |\n|---|{'---:|' * (len(SCORES) + 1)}", *lines, sep="\n")


def table(target: str, said: Mapping[str, Mapping[str, Any]], reached: Mapping[str, list[float]]) -> Iterator[str]:
    """A line for each source, the best outcome first."""
    yield f"| {target}: source | {' | '.join(SCORES.values())} | reached | sd |\n|---|{'---:|' * (len(SCORES) + 2)}"
    for name in sorted(reached, key=lambda name: -statistics.fmean(reached[name])):
        cells = ["" if said[name][key] is None else f"{said[name][key]:.3f}" for key in SCORES]
        values = reached[name]
        yield f"| {name} | {' | '.join(cells)} | {statistics.fmean(values):.3f} | {statistics.stdev(values):.3f} |"
    yield ""


def correlations(said: Mapping[str, Mapping[str, Any]], reached: Mapping[str, list[float]]) -> Iterator[str]:
    """Spearman's and Kendall's for each score; of LEEP over the sources that have one."""
    for key in SCORES:
        names = [name for name in reached if said[name][key] is not None]
        pair = [said[name][key] for name in names], [statistics.fmean(reached[name]) for name in names]
        yield f"{spearmanr(*pair).statistic:+.2f}, {kendalltau(*pair).statistic:+.2f}" if names else ""


def scores(path: Path) -> dict[str, Mapping[str, Any]]:
    """The last stage's row of each source."""
    rows = json.loads(path.read_text())["probes"]
    return {name(row["source"]): row for row in rows if row["stage"] == LAST}


def outcomes(folder: Path) -> dict[str, list[float]]:
    """What the runs of each source reached, a score for each seed."""
    found: dict[str, list[float]] = defaultdict(list)
    for path in sorted(folder.rglob("summary.json")):
        summary = json.loads(path.read_text())
        own = summary["objective"]["metric"].partition("/")[2]
        metrics = summary["metrics"]
        split = "test" if f"test/{own}" in metrics else "val"
        found[name(summary["config"]["backbone"]["weights"])].append(metrics[f"{split}/{own}"])
    return found


def name(source: str) -> str:
    """``runs/freeze/pets/source`` is pets, ``runs/leep/source/epochs1`` is epochs1."""
    path = Path(source)
    return path.parent.name if path.name == "source" else path.name


if __name__ == "__main__":
    main()
