"""What ``advise`` found, as tables for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Column, Table


def probes_table(rows: Sequence[Mapping[str, Any]], metric: str, baseline: float) -> Table:
    """A row for each stage of each source: the probe's score with its 95 % interval, LogME, H-score and LEEP.

    Args:
        metric: what the probe's score is, for the heading.
        baseline: the score of the best constant prediction.
    """
    table = Table("source", "stage", box=None, pad_edge=False, caption=f"best constant prediction: {baseline:.3f}")
    has_leep = any(row["leep"] is not None for row in rows)
    for header in (f"probe: {metric}", "LogME", "H-score", *(["LEEP"] if has_leep else [])):
        table.add_column(header, justify="right")
    before = None
    for row in rows:
        name = "random weights" if row["source"] == "none" else row["source"]
        h_score = "" if row["h_score"] is None else f"{row['h_score']:.2f}"
        leep = [] if not has_leep else ["" if row["leep"] is None else f"{row['leep']:.3f}"]
        score = f"{row['score']:.3f} ± {1.96 * row['error']:.3f}"
        table.add_row(name if name != before else "", str(row["stage"]), score, f"{row['logme']:.3f}", h_score, *leep)
        before = name
    return table


def costs_table(costs: Sequence[Mapping[str, Any]], estimates: Sequence[Mapping[str, Any]], source: str) -> Table:
    """A row for each number of frozen first stages: parameters that train, seconds an epoch, and the estimated score.

    Args:
        estimates: of as many frozen stages, or none.
        source: the source that the estimates start from.
    """
    caption = f"estimate: from {source}, by tangent kernels" if estimates else None
    table = Table(Column("policy", no_wrap=True), box=None, pad_edge=False, caption=caption)
    said = ["estimate"] if estimates else []
    for header in (*said, "trained", "s an epoch", "s from cache"):
        table.add_column(header, justify="right")
    for place, row in enumerate(costs):
        one = [f"{estimates[place]['score']:.3f} ± {1.96 * estimates[place]['error']:.3f}"] if estimates else []
        seconds = ["" if row[key] is None else f"{row[key]:.1f}" for key in ("seconds", "cached")]
        table.add_row(policy(row["stage"]), *one, f"{row['parameters']:,}", *seconds)
    return table


def policy(stage: int) -> str:
    """The policy that freezes this many first stages, in the words of the command line."""
    return {0: "freeze=none", 5: "freeze=backbone"}.get(stage, f"freeze=stage freeze.stages={stage}")
