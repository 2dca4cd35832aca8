"""From the probes to a freeze policy."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from statistics import fmean

RANDOM = "none"
"""The source of random weights."""
_BASIS = (
    "This rests on linear probes alone, without any training. Where we trained, the probes named the best of three "
    "sources (4 targets of 4); they do not predict how many stages to freeze (docs/advise.md)."
)


@dataclass(frozen=True)
class Row:
    """One stage of one source."""

    source: str
    stage: int
    score: float
    """Of the probe, 0 to 1."""
    error: float
    """Its standard error."""
    logme: float
    h_score: float | None = None
    """None if the targets have no classes."""
    leep: float | None = None
    """Of a source with a classifier, in the row of its last stage, which the classifier reads."""
    target: str = ""
    """The key of a batch that the probe predicts."""


@dataclass(frozen=True)
class Advice:
    """What to train, from which source."""

    source: str
    stage: int
    """The number of first stages to freeze, 0 to 5."""
    reason: str

    @property
    def basis(self) -> str:
        """What the recommendation rests on, and what it does not predict; "" if there was no source to compare."""
        return "" if self.source == RANDOM else _BASIS

    @property
    def words(self) -> tuple[str, ...]:
        """The policy's words on the command line."""
        policy = {0: ("freeze=none",), 5: ("freeze=backbone",)}
        chosen = policy.get(self.stage, ("freeze=stage", f"freeze.stages={self.stage}"))
        return chosen if self.source == RANDOM else (f"backbone.weights={self.source}", *chosen)


def over_targets(rows: Sequence[Row]) -> list[Row]:
    """A row for each stage of each source, whose score is the mean over the targets."""
    by_stage: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        by_stage.setdefault((row.source, row.stage), []).append(row)
    return [
        Row(
            source, stage, fmean(row.score for row in each), fsum(row.error**2 for row in each) ** 0.5 / len(each),
            fmean(row.logme for row in each),
        )
        for (source, stage), each in by_stage.items()
    ]  # fmt: skip


def recommend(rows: Sequence[Row]) -> Advice:
    """The source of the best probe, and its deepest stage whose probe is within one standard error of the best.

    Up to that stage the features lose nothing that the best probe uses. If random weights do as well as every source
    (within two standard errors of the difference), no source helps, and everything is to be trained.
    """
    best = max(rows, key=lambda row: row.score)
    if all(row.source == RANDOM for row in rows):
        return Advice(RANDOM, 0, "no source was given, so there is nothing to freeze: name run folders, or imagenet")
    chance = max((row for row in rows if row.source == RANDOM), key=lambda row: row.score, default=None)
    if best.source == RANDOM or (
        chance is not None and best.score - chance.score <= 2 * (best.error**2 + chance.error**2) ** 0.5
    ):
        source = max((row for row in rows if row.source != RANDOM), key=lambda row: row.score, default=best).source
        return Advice(source, 0, "no stage of any source does clearly better than random weights: train everything")
    near = [row for row in rows if row.source == best.source and row.score >= best.score - best.error]
    deepest = max(near, key=lambda row: row.stage)
    reason = f"the features of stage {deepest.stage} do as well as any ({deepest.score:.3f}, best {best.score:.3f})"
    if deepest.stage < 5:
        last = next(row for row in rows if row.source == best.source and row.stage == 5)
        reason += f", those of stage 5 less ({last.score:.3f})"
    return Advice(best.source, deepest.stage, reason)
