"""Do the scores of ``advise`` order sources as training does? Rank correlations over sources, in Markdown.

python experiments/advise/sources.py runs/leep

Reads what ``sources.sh`` wrote. A point is one source; its outcome is the mean test score over the seeds.
"""

import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scipy.stats import kendalltau, spearmanr

SCORES = {"leep": "LEEP", "score": "probe", "logme": "LogME", "h_score": "H-score"}
LAST = 5
"""The stage whose features the head reads."""


def main() -> None:
    """Print what was said of each source beside what it reached, then the correlations."""
    root = Path(sys.argv[1])
    said = scores(root)
    reached = outcomes(root)
    names = sorted(said, key=lambda name: -reached["backbone"][name])
    policies = sorted(reached)
    print(f"| source | {' | '.join(SCORES.values())} | {' | '.join(f'`{policy}`' for policy in policies)} |")
    print(f"|---|{'---:|' * (len(SCORES) + len(policies))}")
    for name in names:
        cells = [f"{said[name][key]:.3f}" for key in SCORES] + [f"{reached[policy][name]:.3f}" for policy in policies]
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"\n| score | {' | '.join(f'Spearman, `{one}` | Kendall, `{one}`' for one in policies)} | n |")
    print(f"|---|{'---:|' * (2 * len(policies) + 1)}")
    for key, score in SCORES.items():
        cells = []
        for policy in policies:
            pair = [said[name][key] for name in names], [reached[policy][name] for name in names]
            cells += [f"{spearmanr(*pair).statistic:+.2f}", f"{kendalltau(*pair).statistic:+.2f}"]
        print(f"| {score} | {' | '.join(cells)} | {len(names)} |")


def scores(root: Path) -> dict[str, Mapping[str, Any]]:
    """The last stage's row of each source that LEEP can score."""
    rows = json.loads((root / "advice.json").read_text())["probes"]
    last = {name(row["source"]): row for row in rows if row["stage"] == LAST}
    leep = {name(row["source"]): row["leep"] for row in rows if row["leep"] is not None}
    return {source: last[source] | {"leep": value} for source, value in leep.items()}


def outcomes(root: Path) -> dict[str, dict[str, float]]:
    """What the runs reached on test, by policy and source; the mean over seeds."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted((root / "run").rglob("summary.json")):
        summary = json.loads(path.read_text())
        metric = "test/" + summary["objective"]["metric"].partition("/")[2]
        policy, source = summary["choice"]["freeze"], name(summary["config"]["backbone"]["weights"])
        found[policy][source].append(summary["metrics"][metric])
    return {policy: {one: statistics.fmean(values) for one, values in by.items()} for policy, by in found.items()}


def name(source: str) -> str:
    """``runs/freeze/pets/source`` is pets, ``runs/leep/source/epochs1`` is epochs1."""
    path = Path(source)
    return path.parent.name if path.name == "source" else path.name


if __name__ == "__main__":
    main()
