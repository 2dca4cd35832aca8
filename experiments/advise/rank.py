"""Do the scores of ``advise`` predict what training reaches? Rank correlations, in Markdown.

python experiments/advise/rank.py runs/advise

Reads what ``run.sh`` wrote: a table of ``advise`` for each data set and task, and runs with the first k stages frozen.
A point is one source with one k; its outcome is the test score, the mean over the seeds.
"""

import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from scipy.stats import kendalltau, spearmanr

Point = tuple[str, int]
"""A source and the number of its first stages that were frozen."""
SCORES = {"score": "probe", "logme": "LogME", "h_score": "H-score", "leep": "LEEP"}
RANDOM = "none"


def main() -> None:
    """Print a table of correlations, and one of the sources."""
    root = Path(sys.argv[1])
    reached = outcomes(root / "run")
    files = [path for path in sorted(root.glob("*.json")) if path.stem in reached]
    found = {path.stem: json.loads(path.read_text()) for path in files}
    print("| data, task | score | Spearman | Kendall | n | without random weights | | n | sources in order |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, advice in found.items():
        print(*correlations(name, by_point(advice), reached[name]), sep="\n")
    stages = sorted({stage for points in reached.values() for _, stage in points})
    heads = " | ".join(f"{what}, {stage}" for stage in stages for what in ("probe", "outcome"))
    print(f"\n| data, task | source | {heads} | advised |\n|---|---|{'---:|' * 2 * len(stages)}---|")
    for name, advice in found.items():
        print(*sources(name, advice, reached[name], stages), sep="\n")


def by_point(advice: Mapping[str, Any]) -> dict[Point, Mapping[str, Any]]:
    """The rows of an advice, by source and stage."""
    return {(Path(row["source"]).name, row["stage"]): row for row in advice["probes"]}


def outcomes(folder: Path) -> dict[str, dict[Point, float]]:
    """What the runs reached on test, by data and task, and by point; the mean over seeds."""
    scores: dict[str, dict[Point, list[float]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(folder.rglob("summary.json")):
        summary = json.loads(path.read_text())
        config, choice = summary["config"], summary["choice"]
        metric = "test/" + summary["objective"]["metric"].partition("/")[2]
        point = (Path(config["backbone"]["weights"]).name, config["freeze"]["stages"])
        scores[f"{choice['data']}-{choice['task']}"][point].append(summary["metrics"][metric])
    return {name: {point: statistics.fmean(values) for point, values in one.items()} for name, one in scores.items()}


def correlations(name: str, rows: Mapping[Point, Mapping[str, Any]], reached: Mapping[Point, float]) -> Iterator[str]:
    """A line for each score: Spearman's and Kendall's rank correlation with the outcomes, and the number of points."""
    for key, title in SCORES.items():
        said = {point: row[key] for point, row in rows.items() if row[key] is not None and point in reached}
        if len(said) < 3:
            continue
        cells = []
        for points in (list(said), [point for point in said if point[0] != RANDOM]):
            pair = [said[point] for point in points], [reached[point] for point in points]
            cells.append(f"{spearmanr(*pair).statistic:+.2f} | {kendalltau(*pair).statistic:+.2f} | {len(points)}")
        yield f"| {name} | {title} | {' | '.join(cells)} | {in_order(said, reached)} |"


def in_order(said: Mapping[Point, float], reached: Mapping[Point, float]) -> str:
    """Of the pairs of sources with the same number of frozen stages, how many the score orders as the outcome does."""
    pairs = [(one, other) for one, other in combinations(said, 2) if one[1] == other[1]]
    right = [(said[one] - said[other]) * (reached[one] - reached[other]) > 0 for one, other in pairs]
    return f"{sum(right)} of {len(right)}"


def sources(
    name: str, advice: Mapping[str, Any], reached: Mapping[Point, float], stages: Sequence[int]
) -> Iterator[str]:
    """A line for each source: the probe of each stage and the outcome with so many frozen, and what was advised."""
    rows, chosen = by_point(advice), advice["advice"]
    for source in dict.fromkeys(point[0] for point in rows):
        pairs = [(rows[source, stage]["score"], reached.get((source, stage), float("nan"))) for stage in stages]
        cells = " | ".join(f"{value:.3f}" for pair in pairs for value in pair)
        said = f"freeze {chosen['stage']}" if Path(chosen["source"]).name == source else ""
        yield f"| {name} | {source} | {cells} | {said} |"


if __name__ == "__main__":
    main()
