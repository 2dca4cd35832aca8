"""Do the scores of ``advise`` predict what training reaches? Rank correlations, in Markdown.

python experiments/advise/rank.py runs/advise

Reads what ``run.sh`` wrote: a table of ``advise`` for each data set and task, and runs with the first k stages frozen.
A point is one source with one k; its outcome is the test score, the mean over the seeds.
"""

import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
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
    found = {path.stem: json.loads(path.read_text()) for path in sorted(root.glob("*.json"))}
    reached = outcomes(root / "run")
    print("| data, task | score | all: Spearman | Kendall | n | without random weights: Spearman | Kendall | n |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for name, advice in found.items():
        print(*correlations(name, by_point(advice), reached.get(name, {})), sep="\n")
    print("\n| data, task | source | best probe | best outcome | advised |\n|---|---|---:|---:|---|")
    for name, advice in found.items():
        print(*sources(name, advice, reached.get(name, {})), sep="\n")


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
        yield f"| {name} | {title} | {' | '.join(cells)} |"


def sources(name: str, advice: Mapping[str, Any], reached: Mapping[Point, float]) -> Iterator[str]:
    """A line for each source: the best probe of its stages, the best outcome of its runs, and what was advised."""
    rows, chosen = by_point(advice), advice["advice"]
    for source in dict.fromkeys(point[0] for point in rows):
        probe = max(row["score"] for point, row in rows.items() if point[0] == source)
        best = max((value for point, value in reached.items() if point[0] == source), default=float("nan"))
        said = f"freeze the first {chosen['stage']}" if Path(chosen["source"]).name == source else ""
        yield f"| {name} | {source} | {probe:.3f} | {best:.3f} | {said} |"


if __name__ == "__main__":
    main()
