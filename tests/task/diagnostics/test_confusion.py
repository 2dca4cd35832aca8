"""A confusion matrix is stored whole while it is small, and by its full cells when it is not: the same counts."""

import pytest
import torch
from sklearn.metrics import confusion_matrix

from vggexp.task.diagnostics import confusion
from vggexp.task.diagnostics.classification import diagnostics


def test_both_forms_hold_scikit_learns_counts() -> None:
    generator = torch.Generator().manual_seed(0)
    for size, key in ((40, "confusion"), (confusion.WHOLE + 1, "cells")):
        label, guess = torch.randint(0, size, (2, 3000), generator=generator)
        found = confusion.counted(label, guess, size)
        assert list(found) == [key]
        matrix = confusion_matrix(label, guess, labels=range(size))
        rebuilt = torch.zeros(size, size, dtype=torch.long)
        for truth, predicted, count in confusion.cells(found):
            assert count > 0
            rebuilt[truth, predicted] = count
        assert (rebuilt.numpy() == matrix).all()


@pytest.mark.slow
def test_very_many_classes_stay_small() -> None:
    """1,200 classes: neither a million cells nor 200 points a curve."""
    size = 1200
    label = torch.arange(4 * size) % size
    probability = torch.full((4 * size, size), 1 / size)
    rows = {"label": label, "predicted": label, "probability": probability, "score": probability[:, 0]}
    found = diagnostics(rows, [str(place) for place in range(size)])
    assert "confusion" not in found
    assert len(found["cells"]) == size
    assert sum(len(curve["recall"]) for curve in found["curve"]) <= 20 * size
