"""Kernel ridge regression against ridge regression on explicit features, refitted without each example."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from vggexp.transfer.score.kernel_ridge import STRENGTHS, fits, kernel_ridge

DRAW = np.random.default_rng(0)
FEATURES = DRAW.normal(size=(50, 7))
TARGETS = FEATURES @ DRAW.normal(size=(7, 2)) + DRAW.normal(size=(50, 2)) + 3
COUNT = 30
TRAIN, KNOWN, VAL = FEATURES[:COUNT], TARGETS[:COUNT], FEATURES[COUNT:]


def model(strength: float) -> Ridge:
    """With the absolute strength: relative to the mean eigenvalue of the centred kernel of the training examples."""
    return Ridge(alpha=strength * float(((TRAIN - TRAIN.mean(0)) ** 2).sum()) / COUNT)


def refitted(strength: float) -> float:
    """The mean squared error of each example by a fit without it."""
    left = []
    for i in range(COUNT):
        one = model(strength).fit(np.delete(TRAIN, i, 0), np.delete(KNOWN, i, 0))
        left.append(KNOWN[i] - one.predict(TRAIN[i : i + 1])[0])
    return float(np.square(left).mean())


def test_the_leave_one_out_errors_are_those_of_refits() -> None:
    centred = TRAIN - TRAIN.mean(0)
    found = [error for error, _ in fits(centred @ centred.T, KNOWN - KNOWN.mean(0))]
    assert found == pytest.approx([refitted(strength) for strength in STRENGTHS], rel=1e-6)


def test_it_predicts_what_ridge_regression_of_the_best_strength_predicts() -> None:
    errors = [refitted(strength) for strength in STRENGTHS]
    best = int(np.argmin(errors))
    assert 0 < best < len(STRENGTHS) - 1, "the refits tell the strengths apart"
    wanted = model(STRENGTHS[best]).fit(TRAIN, KNOWN).predict(VAL)
    np.testing.assert_allclose(kernel_ridge(FEATURES @ FEATURES.T, KNOWN), wanted, rtol=1e-8)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_kernels_scale_does_not_matter(scale: float) -> None:
    kernel = FEATURES @ FEATURES.T
    np.testing.assert_allclose(kernel_ridge(kernel, KNOWN), kernel_ridge(kernel * scale, KNOWN), rtol=1e-6)


def test_a_kernel_of_zeros_predicts_the_mean() -> None:
    np.testing.assert_allclose(kernel_ridge(np.zeros((5, 5)), np.array([[1.0], [2.0], [6.0]])), [[3.0], [3.0]])
