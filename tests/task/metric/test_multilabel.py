"""Average precision and F1 against scikit-learn's."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, f1_score
from torch import Tensor

from vggexp.task.metric.multilabel import MultilabelMetrics

NAMES = ("cat", "dog", "eel", "fox")


def drawn(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Labels, every class shown and not shown, and probabilities with ties."""
    generator = torch.Generator().manual_seed(seed)
    truth = (torch.rand(count, len(NAMES), generator=generator) < 0.3).to(torch.uint8)
    truth[:2] = torch.tensor([[1], [0]])
    return truth, (torch.rand(truth.shape, generator=generator) * 20).round() / 20


def scores(truth: Tensor, probability: Tensor, batch: int = 7) -> dict[str, float]:
    metrics = MultilabelMetrics(NAMES)
    for labels, shares in zip(truth.split(batch), probability.split(batch), strict=True):
        metrics.update({"labels": (shares > 0.5).to(torch.uint8), "probability": shares}, {"labels": labels})
    return {name: float(value) for name, value in metrics.compute().items()}


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn(seed: int) -> None:
    truth, probability = drawn(60, seed)
    found = scores(truth, probability)
    each = average_precision_score(truth.numpy(), probability.numpy(), average=None)
    assert [found[f"ap/{name}"] for name in NAMES] == pytest.approx(each.tolist(), abs=1e-6)
    assert found["map"] == pytest.approx(each.mean(), abs=1e-6)
    f1 = f1_score(truth.numpy(), probability.numpy() > 0.5, average="macro", zero_division=np.nan)
    assert found["f1"] == pytest.approx(f1, abs=1e-6)
    assert found.keys() == {"map", "f1", *(f"ap/{name}" for name in NAMES)}


def test_a_class_without_positives_is_left_out() -> None:
    truth, probability = drawn(40, 0)
    truth[:, 2] = 0
    probability[:, 2] = 0.1
    found = scores(truth, probability)
    known = [0, 1, 3]
    assert math.isnan(found["ap/eel"])
    each = average_precision_score(truth[:, known].numpy(), probability[:, known].numpy(), average="macro")
    assert found["map"] == pytest.approx(each, abs=1e-6)
    f1 = f1_score(truth.numpy(), probability.numpy() > 0.5, average="macro", zero_division=np.nan)
    assert found["f1"] == pytest.approx(f1, abs=1e-6)


def test_a_constant_prediction_scores_the_share_of_positives() -> None:
    truth, _ = drawn(40, 1)
    found = scores(truth, torch.tensor([0.1, 0.2, 0.3, 0.4]).expand(40, -1))
    shares = truth.float().mean(0)
    assert [found[f"ap/{name}"] for name in NAMES] == pytest.approx(shares.tolist(), abs=1e-6)
    assert found["f1"] == 0


def test_outputs_that_are_no_numbers_have_no_score() -> None:
    truth, probability = drawn(20, 0)
    assert math.isnan(scores(truth, probability * torch.nan)["map"])
    assert math.isnan(scores(truth * 0, probability)["map"])


def test_starts_anew_after_a_reset() -> None:
    metrics = MultilabelMetrics(NAMES)
    for seed in (0, 1):
        truth, probability = drawn(30, seed)
        metrics.reset()
        metrics.update({"labels": (probability > 0.5).to(torch.uint8), "probability": probability}, {"labels": truth})
    assert float(metrics.compute()["map"]) == pytest.approx(scores(truth, probability)["map"])
