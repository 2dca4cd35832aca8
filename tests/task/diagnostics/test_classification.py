import pytest
import torch
from sklearn.metrics import auc, average_precision_score, confusion_matrix, precision_recall_curve
from torch import Tensor

from vggexp.task.diagnostics.classification import POINTS, diagnostics, precision_recall, rows


def data(images: int = 60, classes: int = 4) -> tuple[Tensor, Tensor]:
    """Probabilities and labels; class 3 never occurs."""
    generator = torch.Generator().manual_seed(0)
    probability = torch.rand(images, classes, generator=generator).softmax(1)
    return probability, torch.randint(0, classes - 1, (images,), generator=generator)


def test_rows_and_evidence_agree_with_sklearn() -> None:
    probability, label = data()
    predicted = probability.argmax(1)
    kept = rows({"label": predicted, "probability": probability}, {"label": label})
    assert kept["score"].tolist() == [float(row[place]) for row, place in zip(probability, label, strict=True)]
    found = diagnostics(kept, "abcd")
    assert found["confusion"] == confusion_matrix(label, predicted, labels=range(4)).tolist()
    assert found["curve"][3] is None  # no truth, no curve
    for place in range(3):
        expected = average_precision_score(label == place, probability[:, place])
        assert found["curve"][place]["average_precision"] == pytest.approx(expected)
    assert found["each"]["predicted"] == predicted.tolist()
    assert found["each"]["probability"] == pytest.approx(probability.max(1).values.tolist(), abs=1e-4)


def test_a_curve_worked_out_by_hand() -> None:
    """By probability: hit, miss, hit. Precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1: AP = 1/2 + 2/3 * 1/2."""
    found = precision_recall(torch.tensor([0.9, 0.8, 0.7]), torch.tensor([True, False, True]))
    assert found is not None
    assert found["recall"] == [0, 0.5, 0.5, 1]
    assert found["precision"] == pytest.approx([1, 1, 0.5, 0.6667])
    assert found["average_precision"] == pytest.approx(5 / 6)


def test_a_long_curve_is_thinned_and_keeps_its_ends_and_shape() -> None:
    probability, label = data(images=5000)
    truth = label == 0
    found = precision_recall(probability[:, 0], truth)
    assert found is not None
    assert len(found["recall"]) == len(found["precision"]) == POINTS
    assert found["recall"] == sorted(found["recall"])
    assert (found["recall"][0], found["recall"][-1]) == (0, 1)
    precision, recall, _ = precision_recall_curve(truth, probability[:, 0])
    assert auc(found["recall"], found["precision"]) == pytest.approx(auc(recall, precision), abs=2e-3)
