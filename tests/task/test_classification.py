import math

import pytest
import torch

from vggexp.errors import ConfigError, DataError
from vggexp.loss.cross_entropy import CrossEntropy
from vggexp.task.classification import Classification
from vggexp.types import Batch, DataInfo

INFO = DataInfo(("cat", "dog", "eel"), ())


def labels(*values: int) -> Batch:
    size = len(values)
    return {
        "image": torch.zeros(size, 3, 4, 4, dtype=torch.uint8),
        "index": torch.arange(size) + 100,
        "label": torch.tensor(values),
    }


def observed(*values: int, loss: CrossEntropy | None = None) -> Classification:
    task = Classification(INFO, loss or CrossEntropy())
    task.observe(labels(*values))
    task.finish_observing()
    return task


def test_one_class_is_nothing_to_tell_apart() -> None:
    with pytest.raises(ConfigError, match=r"needs two classes or more, and the data has cat; see data\.classes"):
        Classification(DataInfo(("cat",), ()), CrossEntropy())


def test_the_baseline_is_the_classes_shares() -> None:
    task = Classification(INFO, CrossEntropy())
    task.observe(labels(0, 1, 1))
    task.observe(labels(1, 2))
    baseline = task.baseline(labels(2, 2))
    assert baseline["label"].tolist() == [1, 1]
    torch.testing.assert_close(baseline["probability"], torch.tensor([[0.2, 0.6, 0.2]] * 2))


def test_predicts_shares() -> None:
    prediction = observed(0, 1, 2).predict(torch.tensor([[0.0, math.log(3), 0.0]]))
    assert prediction["label"].tolist() == [1]
    torch.testing.assert_close(prediction["probability"], torch.tensor([[0.2, 0.6, 0.2]]))


def test_balances_the_loss_by_shares() -> None:
    loss = CrossEntropy(class_weight="median_frequency")
    observed(0, 0, 0, 0, 1, 1, 2, loss=loss)
    assert loss.weight is not None
    torch.testing.assert_close(loss.weight, torch.tensor([0.5, 1.0, 2.0]))


def test_a_checkpoint_brings_the_balance() -> None:
    """The weights are not in it; they follow from the counts, which are."""
    task = observed(0, 0, 1, 2, loss=CrossEntropy(class_weight="median_frequency"))
    loss = CrossEntropy(class_weight="median_frequency")
    Classification(INFO, loss).load_state_dict(task.state_dict())
    logits = torch.randn(4, 3)
    assert loss(logits, torch.tensor([0, 1, 2, 0])) == task.criterion(logits, torch.tensor([0, 1, 2, 0]))


def test_class_without_a_sample_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    observed(0, 1)
    assert capsys.readouterr().err == "vggexp: data: class 'eel' never occurs in the training split\n"
    with pytest.raises(DataError, match="classes 'cat', 'eel' never occur in the training split, so the loss cannot"):
        observed(1, loss=CrossEntropy(class_weight="median_frequency"))


def test_draws_the_class_and_its_probability(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = []
    monkeypatch.setattr("vggexp.task.drawing.caption", lambda image, text: texts.append(text) or image)
    task, image = observed(0, 1, 2), torch.zeros(3, 4, 4, dtype=torch.uint8)
    task.draw(image, {"label": torch.tensor(1)})
    task.draw(image, {"label": torch.tensor(1), "probability": torch.tensor([0.1, 0.87, 0.03])})
    assert texts == ["dog", "dog (87%)"]
