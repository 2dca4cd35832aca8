"""Does ``advise`` predict how many stages to freeze? What it says beside what training reached, in Markdown.

python experiments/advise/stages.py runs/stages

Reads what ``stages.sh`` wrote. A point is one source with its first k = 0 to 5 stages frozen; its outcome is the mean
test score over the seeds. Beside the measures stands the rule that needs none: the fewer frozen, the better.
"""

import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scipy.stats import kendalltau, spearmanr

STAGES = 5
Series = Mapping[int, float]
"""A number for each number of frozen stages."""


def main() -> None:
    """For each target what was said and reached, the rank correlations, and what each recommendation loses."""
    root = Path(sys.argv[1])
    for folder in sorted((root / "run").iterdir()):
        reached = outcomes(folder)
        said = {path.stem: json.loads(path.read_text()) for path in sorted((root / "advice" / folder.name).glob("*"))}
        measures = {source: measured(advice) for source, advice in said.items()}
        print(f"\n### {folder.name}\n")
        print(*table(measures, reached), "", *correlations(measures, reached), "", *regrets(said, reached), sep="\n")


def outcomes(folder: Path) -> dict[str, dict[int, list[float]]]:
    """The test score of each seed, by source and number of frozen stages."""
    found: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(folder.rglob("summary.json")):
        summary = json.loads(path.read_text())
        config, policy = summary["config"], summary["choice"]["freeze"]
        frozen = {"none": 0, "backbone": STAGES}[policy] if policy != "stage" else config["freeze"]["stages"]
        metric = "test/" + summary["objective"]["metric"].partition("/")[2]
        found[name(str(config["backbone"]["weights"]))][frozen].append(summary["metrics"][metric])
    return found


def name(source: str) -> str:
    """``runs/freeze/pets/source`` is pets, ``runs/leep/source/digits01`` is digits01, and none stays none."""
    path = Path(source)
    return path.parent.name if path.name == "source" else path.name


def measured(advice: Mapping[str, Any]) -> dict[str, Series]:
    """The estimates, and the probes of stage k, of the source of this advice."""
    source = advice["advice"]["source"]
    probes = {row["stage"]: row["score"] for row in advice["probes"] if row["source"] == source}
    estimates = {row["frozen"]: row["score"] for row in advice.get("estimates", [])}
    fewer = {frozen: -float(frozen) for frozen in range(STAGES + 1)}
    return {"estimate": estimates, "probe": probes, "fewer": fewer}


def table(said: Mapping[str, Mapping[str, Series]], reached: Mapping[str, Mapping[int, list[float]]]) -> Iterator[str]:
    """Three lines for each source: the estimate, the probe and the outcome."""
    yield f"| source | | {' | '.join(f'k = {frozen}' for frozen in range(STAGES + 1))} |"
    yield f"|---|---|{'---:|' * (STAGES + 1)}"
    for source, by in reached.items():
        for title in ("estimate", "probe"):
            if values := said.get(source, {}).get(title):
                yield f"| {source} | {title} | {' | '.join(number(values.get(k)) for k in range(STAGES + 1))} |"
        cells = [spread(by.get(frozen, [])) for frozen in range(STAGES + 1)]
        yield f"| {source} | reached (sd, seeds) | {' | '.join(cells)} |"


def number(value: float | None) -> str:
    """Three decimals, or nothing."""
    return "" if value is None else f"{value:.3f}"


def spread(values: list[float]) -> str:
    """The mean, with the deviation over the seeds and their number."""
    if not values:
        return ""
    deviation = f"{statistics.stdev(values):.3f}, " if len(values) > 1 else ""
    return f"{statistics.fmean(values):.3f} ({deviation}{len(values)})"


def correlations(
    said: Mapping[str, Mapping[str, Series]], reached: Mapping[str, Mapping[int, list[float]]]
) -> Iterator[str]:
    """Over the numbers of stages of each source, and over all points of all sources.

    All measures are compared at the same points: k = 0 has no probe, so it is left out of the second pair of columns.
    """
    yield "| measure | source | Spearman | Kendall | n | p | Spearman, k > 0 | Kendall | n | p |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    for title in ("estimate", "probe", "fewer"):
        points = {
            source: [
                (frozen, value, statistics.fmean(reached[source][frozen]))
                for frozen, value in sorted(measures[title].items())
                if reached.get(source, {}).get(frozen)
            ]
            for source, measures in said.items()
        }
        for source, own in {**points, "all": [one for each in points.values() for one in each]}.items():
            if len(own) > 2:
                yield f"| {title} | {source} | {ranked(own)} | {ranked([one for one in own if one[0]])} |"


def ranked(points: list[tuple[int, float, float]]) -> str:
    """Spearman's and Kendall's correlation, the number of points, and the p-value of Kendall's (exact if few)."""
    if len(points) < 3:
        return f"| | {len(points)} |"
    pair = [one[1] for one in points], [one[2] for one in points]
    tau = kendalltau(*pair)
    return f"{spearmanr(*pair).statistic:+.2f} | {tau.statistic:+.2f} | {len(points)} | {tau.pvalue:.3f}"


def regrets(said: Mapping[str, Mapping[str, Any]], reached: Mapping[str, Mapping[int, list[float]]]) -> Iterator[str]:
    """How much lower the outcome is than the best number of stages', by each way to choose it."""
    yield "| source | best k | advised | by the probe | always none | always backbone |\n|---|---:|---:|---:|---:|---:|"
    for source, advice in said.items():
        means = {frozen: statistics.fmean(values) for frozen, values in reached.get(source, {}).items()}
        if len(means) <= STAGES:
            continue
        best = max(means, key=lambda frozen: means[frozen])
        chosen = (advice["advice"]["stage"], by_probe(advice), 0, STAGES)
        cells = [f"{frozen}: {means[best] - means[frozen]:.3f}" for frozen in chosen]
        yield f"| {source} | {best} | {' | '.join(cells)} |"


def by_probe(advice: Mapping[str, Any]) -> int:
    """The deepest stage whose probe is within one standard error of the source's best."""
    rows = [row for row in advice["probes"] if row["source"] == advice["advice"]["source"]]
    best = max(rows, key=lambda row: row["score"])
    deepest: int = max(row["stage"] for row in rows if row["score"] >= best["score"] - best["error"])
    return deepest


if __name__ == "__main__":
    main()
