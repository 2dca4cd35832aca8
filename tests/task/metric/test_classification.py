import math

import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, top_k_accuracy_score
from torch import Tensor

from vggexp.task.metric.classification import ClassificationMetrics
from vggexp.types import Batch, Prediction

NAMES = tuple("abcdefgh")


def data(seed: int = 0, size: int = 60) -> tuple[Prediction, Batch]:
    """Class 3 never occurs; class 5 is only predicted, class 6 never predicted."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.randint(0, 8, (size,), generator=generator)
    label[(label == 3) | (label == 5)] = 1
    probability = torch.rand(size, 8, generator=generator).softmax(1)
    probability[:, 3] = probability[:, 6] = 0
    return {"label": probability.argmax(1), "probability": probability}, {"label": label}


def scores(*parts: tuple[Prediction, Batch], names: tuple[str, ...] = NAMES) -> dict[str, Tensor]:
    metrics = ClassificationMetrics(names)
    for prediction, batch in parts:
        metrics.update(prediction, batch)
    return metrics.compute()


def test_agrees_with_sklearn() -> None:
    prediction, batch = data()
    found = scores((prediction, batch))
    truth, guess, probability = batch["label"], prediction["label"], prediction["probability"]
    assert float(found["top1"]) == pytest.approx(accuracy_score(truth, guess))
    assert float(found["top5"]) == pytest.approx(top_k_accuracy_score(truth, probability, k=5, labels=range(8)))
    # Without `labels`, sklearn's macro is over the classes of truth and prediction: the ones that have an F1.
    assert float(found["f1"]) == pytest.approx(f1_score(truth, guess, average="macro"))
    each = f1_score(truth, guess, average=None, labels=range(8), zero_division=math.nan)
    assert [float(found[f"f1/{name}"]) for name in NAMES] == pytest.approx(list(each), nan_ok=True)
    assert math.isnan(each[3])
    assert each[5] == each[6] == 0


def test_two_batches_are_one() -> None:
    prediction, batch = data()
    halves = [
        ({k: v[part] for k, v in prediction.items()}, Batch(label=batch["label"][part]))
        for part in (slice(17), slice(17, None))
    ]
    torch.testing.assert_close(scores(*halves), scores((prediction, batch)), equal_nan=True)


@pytest.mark.parametrize("classes", [5, 6])
def test_top5_needs_more_than_five_classes(classes: int) -> None:
    found = scores(
        ({"label": torch.tensor([1]), "probability": torch.eye(classes)[[1]]}, {"label": torch.tensor([1])}),
        names=NAMES[:classes],
    )
    assert ("top5" in found) == (classes > 5)


def test_reset() -> None:
    metrics = ClassificationMetrics(NAMES)
    metrics.update(*data(seed=1))
    metrics.reset()
    metrics.update(*data())
    torch.testing.assert_close(metrics.compute(), scores(data()), equal_nan=True)
