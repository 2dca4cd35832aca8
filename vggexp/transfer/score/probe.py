"""Linear probes: a linear model on fixed features, fitted on the training split and scored on the validation split.

A probe on stage k estimates what freezing stages 1 to k can reach. It is a low estimate: the stages after k train too.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vggexp.types import VOID

Floats = NDArray[np.float64]
STRENGTHS = (0.001, 0.01, 0.1, 1.0)
"""Inverse strengths of the logistic probe's regularisation, from which cross-validation chooses."""

RESAMPLED = 200
"""Resampled validation splits from which the error of a mean average precision is taken."""


@dataclass(frozen=True)
class Examples:
    """One split's features of one stage, with what they should predict."""

    features: Floats
    """(R, D)."""
    targets: NDArray[Any]
    """(R,) or (R, K)."""
    images: NDArray[np.int64]
    """(R,): the image that each row comes from."""


@dataclass(frozen=True)
class Probe:
    """A probe's score on the validation split."""

    score: float
    """Top-1, the mean IoU of the boxes or the mean average precision; 0 to 1."""
    error: float
    """The standard error of the score over the validation split's images."""


def probe_classes(train: Examples, val: Examples) -> Probe:
    """Logistic regression by L-BFGS on standardised features, its strength chosen by three-fold cross-validation.

    The targets are classes. The score is the share of rows that it gets right.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    labels: NDArray[np.int64] = train.targets
    one, other = standardised(train.features, val.features)
    folds = min(3, int(np.bincount(labels)[np.unique(labels)].min()))
    model = LogisticRegression(max_iter=500)
    if folds > 1:
        model = GridSearchCV(model, {"C": list(STRENGTHS)}, cv=folds)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a fit that stops early is still a linear probe
        right = (model.fit(one, labels).predict(other) == val.targets).astype(float)
    return Probe(float(right.mean()), clustered_error(right, val.images))


def probe_labels(train: Examples, val: Examples) -> Probe:
    """A logistic regression for each class on standardised features; the score is the mean average precision.

    The targets are 1 where the image shows the class, 0 where not, VOID where it is not asked for it. The error is the
    standard deviation over resampled validation splits (the bootstrap). Classes that the training split does not show,
    or shows everywhere, do not count, nor those that the validation split does not show.
    """
    from sklearn.linear_model import LogisticRegression

    one, other = standardised(train.features, val.features)
    scores, known = [], []
    for column, wanted in zip(train.targets.T, val.targets.T, strict=True):
        asked = column != VOID
        if len({*column[asked].tolist()}) == 2 and (wanted == 1).any():
            model = LogisticRegression(C=STRENGTHS[1], max_iter=500).fit(one[asked], column[asked])
            scores.append(model.decision_function(other))
            known.append(wanted)
    if not scores:
        return Probe(float("nan"), float("nan"))
    score, draw = np.stack(scores, 1), np.random.default_rng(0)
    targets = np.stack(known, 1)
    places = [draw.integers(0, len(other), len(other)) for _ in range(RESAMPLED)]
    again = [_mean_average_precision(score[rows], targets[rows]) for rows in places]
    return Probe(_mean_average_precision(score, targets), float(np.nanstd(again)))


def _mean_average_precision(scores: Floats, truth: NDArray[np.int64]) -> float:
    """Over the classes (columns) of which there is an example; NaN if there is none of any."""
    from sklearn.metrics import average_precision_score

    found = [
        average_precision_score(wanted[wanted != VOID], score[wanted != VOID])
        for score, wanted in zip(scores.T, truth.T, strict=True)
        if (wanted == 1).any()
    ]
    return float(np.mean(found)) if found else float("nan")


def probe_boxes(train: Examples, val: Examples) -> Probe:
    """Ridge regression in closed form on standardised features, its strength chosen by leave-one-out validation.

    The targets are (x, y, h, w), shares of the image. The score is the mean IoU.
    """
    import torch
    from sklearn.linear_model import RidgeCV

    from vggexp.boxes import iou

    one, other = standardised(train.features, val.features)
    found = RidgeCV(alphas=np.logspace(0, 5, 11)).fit(one, train.targets).predict(other)
    scores = iou(torch.from_numpy(found), torch.from_numpy(val.targets)).numpy()
    return Probe(float(scores.mean()), clustered_error(scores, val.images))


def standardised(train: Floats, val: Floats) -> tuple[Floats, Floats]:
    """Both with the training features' mean taken off, and divided by their deviation; constant features become 0."""
    mean, deviation = train.mean(0), train.std(0)
    scale = np.where(deviation > 1e-8, deviation, np.inf)
    return (train - mean) / scale, (val - mean) / scale


def clustered_error(values: Floats, images: NDArray[np.int64]) -> float:
    """The standard error of the mean of values that come in groups, such as several from one image.

    Values of one image are alike, so their number must not count as that of independent examples. With one value an
    image, this is the ordinary standard error (Liang and Zeger 1986, for a mean).

    Args:
        values: (R,).
        images: (R,): the group of each.
    """
    _, places = np.unique(images, return_inverse=True)
    sums = np.bincount(places, values - values.mean())
    return float(np.sqrt((sums**2).sum()) / len(values))
