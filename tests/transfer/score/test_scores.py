"""Each score against an independent computation."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from vggexp.transfer.score.h_score import h_score
from vggexp.transfer.score.leep import leep
from vggexp.transfer.score.logme import logme
from vggexp.transfer.score.probe import (
    Examples,
    clustered_error,
    probe_boxes,
    probe_classes,
    probe_labels,
    standardised,
)
from vggexp.types import VOID

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(30, 5), (8, 20)], ids=["tall", "wide"])
def test_logme_is_the_largest_evidence_of_the_linear_model(shape: tuple[int, int]) -> None:
    """The density of y ~ N(0, F F^T / alpha + I / beta), searched on a grid of alpha and beta."""
    features = RANDOM.normal(size=shape)
    target = features @ RANDOM.normal(size=shape[1]) + 0.5 * RANDOM.normal(size=shape[0])
    grid = np.logspace(-2, 3, 60)
    best = max(
        multivariate_normal(cov=features @ features.T / alpha + np.eye(shape[0]) / beta).logpdf(target)
        for alpha in grid
        for beta in grid
    )
    assert logme(features, target[:, None]) * shape[0] == pytest.approx(best, abs=0.05)


def test_logme_prefers_features_that_explain_the_target() -> None:
    features, noise = RANDOM.normal(size=(50, 6)), RANDOM.normal(size=(50, 6))
    labels = (features[:, 0] > 0).astype(float)
    targets = np.stack([labels, 1 - labels], 1)
    assert logme(features, targets) > logme(noise, targets)


def test_h_score_of_separated_classes_is_their_number_less_one_and_of_noise_near_none() -> None:
    labels = np.repeat(np.arange(3), 200)
    apart = np.eye(3)[labels] * 10 + 1e-3 * RANDOM.normal(size=(600, 3))
    assert h_score(apart, labels) == pytest.approx(2, abs=1e-3)
    assert h_score(RANDOM.normal(size=(600, 3)), labels) < 0.05


def test_leep_by_hand() -> None:
    """Two source classes, two target classes: P(0|z0) = 0.9 / 1.1, P(1|z0) = 0.2 / 1.1, P(0|z1) = 0.1 / 0.9."""
    value = leep(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]))
    first = 0.9 * 0.9 / 1.1 + 0.1 * 0.1 / 0.9
    second = 0.2 * 0.2 / 1.1 + 0.8 * 0.8 / 0.9
    assert value == pytest.approx((np.log(first) + np.log(second)) / 2)
    assert leep(np.eye(2)[[0, 1, 0]], np.array([5, 7, 5])) == pytest.approx(0)


def examples(features: np.ndarray, targets: np.ndarray, each: int = 1) -> Examples:
    """Of ``each`` rows an image."""
    return Examples(features, targets, np.arange(len(features)) // each)


def test_probes_find_what_is_linear() -> None:
    labels = np.arange(90) % 3
    features = np.eye(3)[labels] + 0.1 * RANDOM.normal(size=(90, 3))
    assert probe_classes(examples(features[:60], labels[:60]), examples(features[60:], labels[60:])).score == 1
    boxes = RANDOM.uniform(0.2, 0.4, (90, 4))
    found = probe_boxes(examples(boxes[:60] * 3 + 1, boxes[:60]), examples(boxes[60:] * 3 + 1, boxes[60:]))
    assert found.score > 0.95
    assert 0 <= found.error < 0.01


def test_the_probe_of_several_labels_scores_what_each_class_reaches() -> None:
    """The first class is linear, the second noise, the third never shown; a VOID label is neither right nor wrong."""
    features = RANDOM.normal(size=(300, 4))
    labels = np.stack([features[:, 0] > 0.5, RANDOM.random(300) < 0.3, np.zeros(300)], 1).astype(np.int64)
    labels[::10, 0] = VOID
    found = probe_labels(examples(features[:200], labels[:200]), examples(features[200:], labels[200:]))
    chance = labels[200:, 1].mean()
    assert (1 + chance) / 2 - 0.1 < found.score < (1 + chance) / 2 + 0.15
    assert 0 < found.error < 0.1
    nothing = probe_labels(examples(features, labels[:, 2:]), examples(features, labels[:, 2:]))
    assert np.isnan(nothing.score)


def test_rows_of_one_image_count_as_one_when_they_are_alike() -> None:
    """The error of a mean over images, each with several equal values, is that of one value an image."""
    values = RANDOM.random(40)
    alone = clustered_error(values, np.arange(40))
    assert alone == pytest.approx(values.std() / np.sqrt(40))
    assert clustered_error(np.repeat(values, 8), np.repeat(np.arange(40), 8)) == pytest.approx(alone)


def test_a_constant_feature_is_no_division_by_zero() -> None:
    one, other = standardised(np.ones((4, 1)), np.full((2, 1), 7.0))
    assert not one.any()
    assert not other.any()
