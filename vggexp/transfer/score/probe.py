"""Linear probes: a linear model on fixed features, fitted on the training split and scored on the validation split.

A probe on stage k estimates what freezing stages 1 to k can reach. It is a low estimate: the stages after k train too.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STRENGTHS = (0.001, 0.01, 0.1, 1.0)
"""Inverse strengths of the logistic probe's regularisation, from which cross-validation chooses."""


@dataclass(frozen=True)
class Probe:
    """A probe's score on the validation split."""

    score: float
    """Top-1, or the mean IoU of the boxes; 0 to 1."""
    error: float
    """The standard error of the score over the images."""


def probe_classes(train: Floats, labels: NDArray[np.int64], val: Floats, truth: NDArray[np.int64]) -> Probe:
    """Logistic regression by L-BFGS on standardised features, its strength chosen by three-fold cross-validation.

    Args:
        train, val: features (N, D) and (M, D).
        labels, truth: classes (N,) and (M,).
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    one, other = standardised(train, val)
    folds = min(3, int(np.bincount(labels)[np.unique(labels)].min()))
    model = LogisticRegression(max_iter=500)
    if folds > 1:
        model = GridSearchCV(model, {"C": list(STRENGTHS)}, cv=folds)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a fit that stops early is still a linear probe
        right = (model.fit(one, labels).predict(other) == truth).astype(float)
    return _of(right)


def probe_boxes(train: Floats, boxes: Floats, val: Floats, truth: Floats) -> Probe:
    """Ridge regression in closed form on standardised features, its strength chosen by leave-one-out validation.

    Args:
        train, val: features (N, D) and (M, D).
        boxes, truth: (N, 4) and (M, 4): (x, y, h, w), shares of the image.
    """
    import torch
    from sklearn.linear_model import RidgeCV

    from vggexp.boxes import iou

    one, other = standardised(train, val)
    found = RidgeCV(alphas=np.logspace(0, 5, 11)).fit(one, boxes).predict(other)
    return _of(iou(torch.from_numpy(found), torch.from_numpy(truth)).numpy())


def standardised(train: Floats, val: Floats) -> tuple[Floats, Floats]:
    """Both with the training features' mean taken off, and divided by their deviation; constant features become 0."""
    mean, deviation = train.mean(0), train.std(0)
    scale = np.where(deviation > 1e-8, deviation, np.inf)
    return (train - mean) / scale, (val - mean) / scale


def _of(each: Floats) -> Probe:
    return Probe(float(each.mean()), float(each.std() / np.sqrt(len(each))))
