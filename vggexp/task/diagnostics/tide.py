"""What kind of error a false prediction is, and what each kind costs, as TIDE has it (Bolya et al. 2020, section 2)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vggexp.task.diagnostics.rounding import rounded
from vggexp.task.matching import FALSE, IGNORED, IOU, SURE

BACKGROUND_IOU = 0.1
"""The overlap below which a prediction has nothing to do with an object."""
RIGHT, LOCALIZATION, CLASS, BOTH, DUPLICATE, BACKGROUND, UNSCORED = range(7)
KINDS = {
    "localization": LOCALIZATION, "class": CLASS, "both": BOTH, "duplicate": DUPLICATE, "background": BACKGROUND,
}  # fmt: skip
"""The right class at too small an overlap; an object of another class; both; an object found before; nothing at all."""

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """The predictions of all images, and the objects that they are compared with, counted through."""

    score: NDArray[np.float64]
    label: Ints
    found: Ints
    """The object, or FALSE or IGNORED."""
    kind: Ints
    near: Ints
    """The object that a prediction of the kinds localization and class should have found; else FALSE."""
    truth: Ints
    """Each object's label."""
    counts: Bools
    """Whether the object counts."""

    def missed(self) -> Bools:
        """The objects that no prediction found, nor nearly: no error of localization or class stands for them."""
        left = self.counts.copy()
        left[self.found[self.found >= 0]] = False
        left[self.near[self.near >= 0]] = False
        return left


def kinds_of(
    overlaps: NDArray[np.float64], predicted: Ints, truth: Ints, counts: Bools, found: Ints
) -> tuple[Ints, Ints]:
    """The kind of each prediction, (P,), and the object that explains an error of localization or class, or FALSE."""
    kind = np.where(found >= 0, RIGHT, np.where(found == IGNORED, UNSCORED, BACKGROUND))
    near = np.full(len(predicted), FALSE, dtype=np.int64)
    if not len(truth):
        return kind, near
    same = predicted[:, None] == truth[None]
    own, other = (np.where(which & counts, overlaps, 0.0) for which in (same, ~same))
    own_most, other_most = own.max(1), other.max(1)
    is_false = found == FALSE
    # From last to first: the first that fits has the say.
    for name, fits in (
        (BOTH, other_most >= BACKGROUND_IOU),
        (DUPLICATE, own_most >= IOU),
        (CLASS, other_most >= IOU),
        (LOCALIZATION, (own_most >= BACKGROUND_IOU) & (own_most < IOU)),
    ):
        kind[is_false & fits] = name
    near = np.where(kind == LOCALIZATION, own.argmax(1), np.where(kind == CLASS, other.argmax(1), FALSE))
    return kind, near


def effects(found: Found) -> list[dict[str, Any]]:
    """For each kind its ``count`` among the predictions that are sure, and ``ap_50``: what mending it would add."""
    labels = shown(found)
    base = average_precision(found, labels)
    sure = found.score >= SURE
    whole = []
    for name, kind in KINDS.items():
        gain = average_precision(_mended(found, kind), labels) - base
        whole.append({"kind": name, "count": int((sure & (found.kind == kind)).sum()), "ap_50": finite(gain)})
    rest = replace(found, counts=found.counts & ~found.missed())
    gain = average_precision(rest, labels) - base
    seen = _only(found, sure)
    return [*whole, {"kind": "missed", "count": int(seen.missed().sum()), "ap_50": finite(gain)}]


def average_precision(found: Found, labels: Sequence[int]) -> float:
    """The mean of the classes' average precisions at an IoU of 0.5, as COCO computes it; NaN without a class."""
    return float(np.mean([_of_class(found, label)[2] for label in labels])) if labels else float("nan")


def shown(found: Found) -> list[int]:
    """The classes of which there is an object that counts."""
    return sorted(set(found.truth[found.counts].tolist()))


def curve_of(found: Found, label: int, points: int) -> dict[str, Any] | None:
    """``recall``, ascending, ``precision`` and ``average_precision`` of one class; None if it has no object."""
    if label not in shown(found):
        return None
    recall, precision, value = _of_class(found, label)
    kept = np.linspace(0, max(0, len(recall) - 1), min(points, len(recall))).round().astype(int)
    thinned = (rounded(torch.from_numpy(column[kept])) for column in (recall, precision))
    return {**dict(zip(("recall", "precision"), thinned, strict=True)), "average_precision": value}


def _of_class(found: Found, label: int) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Recall and precision after each prediction, from the highest score down, and the average precision."""
    own = (found.label == label) & (found.found != IGNORED)
    order = np.argsort(-found.score[own], kind="stable")
    hits = np.cumsum(found.found[own][order] >= 0)
    positives = int((found.truth == label)[found.counts].sum())
    if not positives:  # all that there was is left out: as good as it can be, unless something else is said to be there
        return hits, hits, float(not len(hits))
    recall, precision = hits / positives, hits / np.arange(1, len(hits) + 1)
    highest = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    places = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    return recall, precision, float(highest[places].mean())


def _mended(found: Found, kind: int) -> Found:
    """The predictions without the errors of a kind. What should have found an object that nothing found, finds it."""
    is_kind = found.kind == kind
    free = np.ones(len(found.truth), dtype=bool)
    free[found.found[found.found >= 0]] = False
    place, label = found.found.copy(), found.label.copy()
    keep = ~is_kind
    for row in np.flatnonzero(is_kind)[np.argsort(-found.score[is_kind], kind="stable")]:
        near = found.near[row]
        if near >= 0 and free[near]:
            free[near], keep[row], place[row], label[row] = False, True, near, found.truth[near]
    return _only(replace(found, label=label, found=place), keep)


def _only(found: Found, keep: Bools) -> Found:
    """Some of the predictions."""
    columns = ("score", "label", "found", "kind", "near")
    return replace(found, **{name: getattr(found, name)[keep] for name in columns})


def finite(value: float) -> float | None:
    """Rounded to four decimals; None for NaN."""
    return None if value != value else round(value, 4)
