"""Diagnostics of objects: what was found, missed and false, confusions, curves, and what kind each error is.

The kinds are TIDE's (Bolya et al. 2020, section 2.2), and so is their weight: by how much the average precision at an
IoU of 0.5 would rise if the errors of one kind were mended.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vggexp.task.diagnostics.confusion import counted
from vggexp.task.diagnostics.rounding import rounded
from vggexp.task.diagnostics.tide import Found, average_precision, curve_of, effects, finite, kinds_of, shown
from vggexp.task.matching import FALSE, IGNORED, IOU, SURE, match
from vggexp.task.metric.objects import sure
from vggexp.task.metric.scored import Scored, scored
from vggexp.types import Batch, Prediction

POINTS = 200
"""Maximum number of points of one curve."""
ALL_POINTS = 20_000
"""Approximate maximum number of points of all classes' curves."""
BACKGROUND = "background"


def rows(prediction: Prediction, batch: Batch, masks: bool) -> dict[str, Any]:
    """For each image ``score``, its panoptic quality over all classes, and two tables of its objects.

    ``predicted`` (P, 7): score, label, object found (or FALSE, IGNORED), overlap with it, kind of error, the object
    that it should have found, the object of any class that it covers. ``truth`` (T, 2): label, whether it counts. The
    objects are places in ``truth``; what covers which is settled among the predictions that are sure.
    """
    images = [_tables(image) for image in scored(prediction, batch, masks)]
    return {
        "score": torch.tensor([score for score, _, _ in images]),
        "predicted": [predicted for _, predicted, _ in images],
        "truth": [truth for _, _, truth in images],
    }


def statuses(image: Scored) -> tuple[list[str], list[str]]:
    """What became of each true object (matched, missed, ignored) and of each sure prediction (matched, false, ignored).

    >>> from vggexp.types import Objects
    >>> box = torch.tensor([[0.0, 0.0, 9.0, 9.0]])
    >>> truth, guess = Objects(box, torch.tensor([1])), Objects(box, torch.tensor([0]), scores=torch.tensor([0.8]))
    >>> statuses(Scored(0, truth, guess))
    (['missed'], ['false'])
    """
    image = sure(image)
    counts = image.truth.counted()
    found = match(image.overlaps(~counts), image.predicted.labels, image.truth.labels, counts)
    words = {FALSE: "false", IGNORED: "ignored"}
    hit = set(found.tolist())
    truth = [
        "ignored" if not count else "matched" if place in hit else "missed"
        for place, count in enumerate(counts.tolist())
    ]
    return truth, [words.get(place, "matched") for place in found.tolist()]


def diagnostics(rows: Mapping[str, Any], classes: Sequence[str]) -> dict[str, Any]:
    """``confusion`` [truth][predicted] with a class for nothing, ``curve`` by class, ``errors`` by kind, and ``each``.

    Confusion, counts and ``each`` are of the predictions that are sure, curves and the errors' effects of all.
    """
    found = _joined(rows["predicted"], rows["truth"])
    size = len(classes)
    points = min(POINTS, max(10, ALL_POINTS // size))
    counts = [_counts(*pair) for pair in zip(rows["predicted"], rows["truth"], strict=True)]
    return {
        "classes": [*classes, BACKGROUND],
        "iou": IOU,
        "least_score": SURE,
        "counts": {name: sum(one[name] for one in counts) for name in ("matched", "missed", "false")},
        **counted(*_confused(rows["predicted"], rows["truth"], size), size + 1),
        "curve": [*(curve_of(found, label, points) for label in range(size)), None],
        "ap_50": finite(average_precision(found, shown(found))),
        "errors": effects(found),
        "each": {name: [one[name] for one in counts] for name in ("matched", "missed", "false")}
        | {"quality": rounded(rows["score"])},
    }


def _tables(image: Scored) -> tuple[float, Tensor, Tensor]:
    truth, predicted = image.truth, image.predicted
    counts = truth.counted()
    overlap = image.overlaps(~counts)
    found = match(overlap, predicted.labels, truth.labels, counts)
    kind, near = kinds_of(overlap, predicted.labels.numpy(), truth.labels.numpy(), counts.numpy(), found)
    assert predicted.scores is not None
    is_sure = predicted.scores.numpy() >= SURE
    hit = found >= 0
    shares = np.where(hit, overlap[np.arange(len(found)), np.where(hit, found, 0)], 0.0) if len(truth) else 0.0 * found
    right, false = int((hit & is_sure).sum()), int(((found == FALSE) & is_sure).sum())
    whole = right + false / 2 + (int(counts.sum()) - right) / 2
    score = float(shares[is_sure].sum() / whole) if whole else 1.0
    columns = (predicted.scores, predicted.labels, found, shares, kind, near, _covered(overlap, counts, found, is_sure))
    table = torch.stack([torch.as_tensor(column).float() for column in columns], 1)
    return score, table, torch.stack((truth.labels, counts.long()), 1)


def _covered(
    overlap: NDArray[np.float64], counts: Tensor, found: NDArray[np.int64], is_sure: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """The object that each sure prediction covers: the one that it found, or another class's that nothing found."""
    covered = np.where(is_sure, found, FALSE)
    left, free = (found == FALSE) & is_sure, counts.numpy().copy()
    free[covered[covered >= 0]] = False
    places = np.flatnonzero(free)
    part = overlap[np.ix_(left, free)]
    guesses, objects = (torch.zeros(side, dtype=torch.int64) for side in part.shape)  # as if all were of one class
    other = match(part, guesses, objects, torch.ones(len(objects), dtype=torch.bool))
    covered[left] = [places[one] if one >= 0 else FALSE for one in other]
    return covered


def _counts(predicted: Tensor, truth: Tensor) -> dict[str, int]:
    is_sure, found = predicted[:, 0] >= SURE, predicted[:, 2]
    matched = int((is_sure & (found >= 0)).sum())
    false = int((is_sure & (found == FALSE)).sum())
    return {"matched": matched, "missed": int(truth[:, 1].sum()) - matched, "false": false}


def _confused(predicted: Sequence[Tensor], truth: Sequence[Tensor], nothing: int) -> tuple[Tensor, Tensor]:
    """Pairs of labels, true and predicted, of all images; label ``nothing`` where one of both is missing."""
    trues, guesses = [], []
    for guess, true in zip(predicted, truth, strict=True):
        label, place = guess[:, 1].long(), guess[:, 6].long()
        shown = (guess[:, 0] >= SURE) & (place != IGNORED)
        hit = shown & (place >= 0)
        is_left = true[:, 1] > 0
        is_left[place[hit]] = False
        trues += [true[place[hit], 0], torch.full((int((shown & ~hit).sum()),), nothing), true[is_left, 0]]
        guesses += [label[hit], label[shown & ~hit], torch.full((int(is_left.sum()),), nothing)]
    return torch.cat(trues), torch.cat(guesses)


def _joined(predicted: Sequence[Tensor], truth: Sequence[Tensor]) -> Found:
    """All images' tables in one, with places in the truth counted through."""
    tables = [table.double().numpy() for table in predicted]
    starts = np.concatenate(([0], np.cumsum([len(one) for one in truth])))
    for table, start in zip(tables, starts, strict=False):
        for column in (2, 5):
            table[:, column] += np.where(table[:, column] >= 0, start, 0)
    whole, objects = np.concatenate(tables), torch.cat(list(truth)).numpy()
    label, found, kind, near = (whole[:, column].astype(np.int64) for column in (1, 2, 4, 5))
    return Found(whole[:, 0], label, found, kind, near, objects[:, 0], objects[:, 1] > 0)
