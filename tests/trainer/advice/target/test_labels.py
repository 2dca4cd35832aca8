"""What is probed for several labels an image."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from vggexp.trainer.advice.target.labels import Labels
from vggexp.types import VOID


def test_the_baseline_is_the_average_precision_of_a_constant_score() -> None:
    truth = np.array([[1, 0, 0], [0, 1, 0], [1, VOID, 0], [1, 0, 0]])
    known = [average_precision_score([1, 0, 1, 1], np.zeros(4)), average_precision_score([0, 1, 0], np.zeros(3))]
    assert Labels().baseline(truth, truth) == pytest.approx(np.mean(known))
    assert Labels().columns(truth)[:, 1].tolist() == [0, 1, 0, 0]
    assert Labels().classes(truth) is None
