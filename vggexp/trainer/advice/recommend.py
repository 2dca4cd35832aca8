"""From scores to a source and a freeze policy."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from statistics import fmean

from vggexp.trainer.advice.estimate import Estimate

RANDOM = "none"
"""The source of random weights."""
_BASIS = (
    "No training was done for this. docs/advise.md shows what was said beside what trainings reached, for sources and "
    "for numbers of stages."
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
class Choice:
    """A source, and why."""

    source: str
    helps: bool
    """Whether it does clearly better than random weights; not if there is no other source."""
    reason: str


@dataclass(frozen=True)
class Advice:
    """What to train, from which source."""

    source: str
    stage: int
    """The number of first stages to freeze, 0 to 5."""
    reason: str

    @property
    def basis(self) -> str:
        """What the recommendation rests on; "" if there was no source to compare."""
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


def choose_source(rows: Sequence[Row]) -> Choice:
    """The source of the best probe, if that is clearly better than random weights' best.

    Clearly: by more than two standard errors of the difference.
    """
    best = max(rows, key=lambda row: row.score)
    if all(row.source == RANDOM for row in rows):
        return Choice(
            RANDOM, False, "no source was given, so there is nothing to freeze: name run folders, or imagenet"
        )
    chance = max((row for row in rows if row.source == RANDOM), key=lambda row: row.score, default=None)
    if best.source == RANDOM or (
        chance is not None and best.score - chance.score <= 2 * (best.error**2 + chance.error**2) ** 0.5
    ):
        source = max((row for row in rows if row.source != RANDOM), key=lambda row: row.score, default=best).source
        return Choice(source, False, "no stage of any source does clearly better than random weights: train everything")
    beside = "" if chance is None else f", that of random weights {chance.score:.3f}"
    return Choice(best.source, True, f"{best.source}: its best probe is {best.score:.3f}{beside}")


def recommend(choice: Choice, estimates: Sequence[Estimate]) -> Advice:
    """The most first stages that can be frozen for no loss beyond one standard error of the difference to the best.

    Args:
        estimates: of the chosen source, for 0 to 5 frozen stages; empty: none were made, and nothing is frozen.
    """
    if not choice.helps:
        return Advice(choice.source, 0, choice.reason)
    if not estimates:
        return Advice(choice.source, 0, f"{choice.reason}; the number of stages was not estimated (tangents=0)")
    best = max(estimates, key=lambda one: one.score)
    deepest = max((one for one in estimates if one.gap <= one.gap_error), key=lambda one: one.frozen)
    reason = f"{choice.reason}\nwith the first {deepest.frozen} stages frozen, the estimate is {deepest.score:.3f}"
    if deepest != best:
        reason += f", the best {best.score:.3f} with {best.frozen}"
    if deepest.frozen < 5:
        reason += f"; with {deepest.frozen + 1} it is {estimates[deepest.frozen + 1].score:.3f}"
    return Advice(choice.source, deepest.frozen, reason)
