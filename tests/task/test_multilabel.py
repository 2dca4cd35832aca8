import math
from typing import Any

import pytest
import torch

from vggexp.errors import ConfigError, DataError
from vggexp.loss.binary_cross_entropy import BinaryCrossEntropy
from vggexp.task.multilabel import Multilabel
from vggexp.types import Batch, DataInfo

INFO = DataInfo(("cat", "dog", "eel"), ())


def shown(*rows: list[int]) -> Batch:
    """A batch of images, each with 0 or 1 for each class."""
    size = len(rows)
    return {
        "image": torch.zeros(size, 3, 4, 4, dtype=torch.uint8),
        "index": torch.arange(size) + 100,
        "labels": torch.tensor(rows, dtype=torch.uint8),
    }


def observed(*rows: list[int], loss: BinaryCrossEntropy | None = None, **words: Any) -> Multilabel:
    task = Multilabel(INFO, loss or BinaryCrossEntropy(), **words)
    task.observe(shown(*rows))
    task.finish_observing()
    return task


def test_the_baseline_is_each_classs_share_of_the_images() -> None:
    task = Multilabel(INFO, BinaryCrossEntropy())
    task.observe(shown([1, 1, 0], [1, 0, 0]))
    task.observe(shown([1, 0, 1], [0, 0, 0]))
    baseline = task.baseline(shown([0, 0, 0], [1, 1, 1]))
    torch.testing.assert_close(baseline["probability"], torch.tensor([[0.75, 0.25, 0.25]] * 2))
    assert baseline["labels"].tolist() == [[1, 0, 0]] * 2


def test_predicts_the_classes_above_the_threshold() -> None:
    logits = torch.tensor([[math.log(3), math.log(4), -1.0]])
    low, high = (observed([1, 1, 1], threshold=threshold).predict(logits) for threshold in (0.5, 0.76))
    torch.testing.assert_close(low["probability"][0, :2], torch.tensor([0.75, 0.8]))
    torch.testing.assert_close(low["probability"], high["probability"])
    assert low["labels"].tolist() == [[1, 1, 0]]
    assert high["labels"].tolist() == [[0, 1, 0]]


@pytest.mark.parametrize("threshold", [-0.1, 1.0, "half"])
def test_a_wrong_threshold_is_an_error(threshold: Any) -> None:
    with pytest.raises(ConfigError, match=r"task\.threshold=.* is not a number from 0 to below 1"):
        Multilabel(INFO, BinaryCrossEntropy(), threshold)


def test_a_class_that_no_image_shows_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert observed([1, 0, 0], [0, 1, 0]).count.tolist() == [1, 1, 0]
    assert capsys.readouterr().err == "vggexp: data: class 'eel' never occurs in the training split\n"
    with pytest.raises(DataError, match="class 'eel' never occurs in the training split, so the loss cannot balance"):
        observed([1, 0, 0], [0, 1, 0], loss=BinaryCrossEntropy("balanced"))
    with pytest.raises(DataError, match=r"no image of the training split shows any class; see data\.classes"):
        observed([0, 0, 0])


def test_no_class_is_nothing_to_look_for() -> None:
    with pytest.raises(ConfigError, match=r"needs a class, and the data has none; see data\.classes"):
        Multilabel(DataInfo((), ()), BinaryCrossEntropy())


def test_a_checkpoint_brings_the_balance() -> None:
    """The weights are not in it; they follow from the counts, which are."""
    task = observed([1, 1, 0], [0, 1, 1], [0, 1, 0], loss=BinaryCrossEntropy("balanced"))
    loss = BinaryCrossEntropy("balanced")
    Multilabel(INFO, loss).load_state_dict(task.state_dict())
    assert loss.weight is not None
    torch.testing.assert_close(loss.weight, torch.tensor([2.0, 1.0, 2.0]))


def test_the_caption_names_the_classes_the_most_probable_first(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = []
    monkeypatch.setattr("vggexp.task.drawing.caption", lambda image, text: texts.append(text) or image)
    task, image = observed([1, 1, 1]), torch.zeros(3, 4, 4, dtype=torch.uint8)
    task.draw(image, {"labels": torch.tensor([1, 0, 1])})
    task.draw(image, {"labels": torch.tensor([1, 0, 1]), "probability": torch.tensor([0.6, 0.1, 0.87])})
    task.draw(image, {"labels": torch.tensor([0, 0, 0]), "probability": torch.tensor([0.1, 0.1, 0.1])})
    assert texts == ["cat, eel", "eel (87%), cat (60%)", "no class"]
