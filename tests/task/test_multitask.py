from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from vggexp.errors import ConfigError
from vggexp.loss.cross_entropy import CrossEntropy
from vggexp.loss.parallel import Parallel
from vggexp.loss.squared_box import SquaredBox
from vggexp.task.classification import Classification
from vggexp.task.localization import Localization
from vggexp.task.multitask import Multitask
from vggexp.task.segmentation import Segmentation
from vggexp.types import Batch, DataInfo

INFO = DataInfo(("cat", "dog"), ("ground", "animal", "edge"))
PART = {
    "classification": Classification,
    "localization": partial(Localization, format="center"),
    "segmentation": Segmentation,
}
WEIGHTS = {"classification": 1.0, "localization": 3.0, "segmentation": 0.5}


def build(parts: list[str], weights: dict[str, float] = WEIGHTS, loss: Parallel | None = None) -> Multitask:
    losses = {"classification": CrossEntropy(), "localization": SquaredBox(), "segmentation": CrossEntropy()}
    return Multitask(INFO, loss or Parallel(losses), PART, parts, weights)


def batch() -> Batch:
    return {
        "image": torch.zeros(2, 3, 200, 200, dtype=torch.uint8),
        "index": torch.arange(2),
        "label": torch.tensor([0, 1]),
        "box": torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.5, 0.1, 0.3, 0.2]]),
        "mask": torch.tensor([[[0, 1], [2, 255]], [[0, 0], [1, 1]]], dtype=torch.uint8),
    }


def outputs(**changed: Tensor) -> dict[str, Tensor]:
    torch.manual_seed(0)
    made = {
        "classification": torch.randn(2, 2),
        "localization": torch.rand(2, 4),
        "segmentation": torch.randn(2, 3, 2, 2),
    }
    return made | changed


@pytest.mark.parametrize("parts", [["classification"], ["localization", "segmentation"], list(PART)])
def test_is_its_parts(parts: list[str]) -> None:
    """Loss, prediction and scores of the parts alone, weighed, merged and averaged."""
    task, alone = build(parts), {name: PART[name](INFO, build(list(PART)).part[name].criterion) for name in parts}
    losses = {name: one.loss(outputs()[name], batch())["loss"] for name, one in alone.items()}
    found = task.loss(outputs(), batch())
    torch.testing.assert_close(found.pop("loss"), sum(WEIGHTS[name] * loss for name, loss in losses.items()))
    assert found == {f"loss_{name}": loss for name, loss in losses.items()}
    prediction = task.predict(outputs())
    merged: dict[str, Any] = {}
    expected = []
    for name, one in alone.items():
        merged |= one.predict(outputs()[name])
        metrics = one.metrics()
        metrics.update(one.predict(outputs()[name]), batch())
        expected.append(metrics.compute()[one.objective])
    assert prediction.keys() == merged.keys()
    assert all(torch.equal(prediction[name], merged[name]) for name in merged)
    scores = task.metrics()
    scores.update(prediction, batch())
    torch.testing.assert_close(scores.compute()["score"], torch.stack(expected).mean())
    assert task.classes == {name: {"segmentation": 3}.get(name, 2) for name in parts}


def test_the_predicted_label_chooses_the_box() -> None:
    each = torch.rand(2, 2, 4)
    logits = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    prediction = build(["localization", "classification"]).predict(outputs(localization=each, classification=logits))
    torch.testing.assert_close(prediction["box"], Localization(INFO, SquaredBox(), "center").predict(each[:, 1])["box"])


def test_without_classification_the_true_label_chooses() -> None:
    task = build(["localization"])
    prediction = task.predict({"localization": torch.rand(2, 2, 4)})
    metrics = task.metrics()
    metrics.update(prediction, batch())
    assert prediction.keys() == {"box_per_class"}
    assert 0 <= metrics.compute()["score"] <= 1


def test_gradients_reach_every_part_by_its_weight() -> None:
    made = {name: value.requires_grad_() for name, value in outputs().items()}
    build(list(PART)).loss(made, batch())["loss"].backward()
    once = {name: value.grad.clone() for name, value in made.items() if value.grad is not None}
    made = {name: value.detach().requires_grad_() for name, value in made.items()}
    build(list(PART), {name: 2 * weight for name, weight in WEIGHTS.items()}).loss(made, batch())["loss"].backward()
    for name, value in made.items():
        assert value.grad is not None
        torch.testing.assert_close(value.grad, 2 * once[name])


def test_observes_and_balances_every_part() -> None:
    losses = {"classification": CrossEntropy(), "segmentation": CrossEntropy(class_weight="median_frequency")}
    task = build(["classification", "segmentation"], loss=Parallel(losses))
    task.observe(batch())
    task.finish_observing()
    assert losses["segmentation"].weight is not None
    assert task.baseline(batch()).keys() == {"label", "probability", "mask"}
    assert {"part.classification.count", "part.segmentation.pixels"} <= task.state_dict().keys()


def test_the_caption_comes_last_whatever_the_order() -> None:
    """It changes the picture's height, which the box is a share of."""
    values = {name: batch()[name][0] for name in ("label", "box", "mask")}  # type: ignore[literal-required]
    image = batch()["image"][0]
    first = build(["classification", "localization", "segmentation"]).draw(image, values)
    last = build(["segmentation", "localization", "classification"]).draw(image, values)
    assert torch.equal(first, last)
    assert first.shape[1] > 200


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "name at least one part"),
        (["classification", "classification"], "each once"),
        (["clasification"], r"task.part does not; did you mean 'classification'\?"),
    ],
)
def test_parts_that_do_not_exist(parts: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(parts)


def test_weights_and_losses_must_fit_the_parts() -> None:
    with pytest.raises(ConfigError, match=r"task.weights does not"):
        build(["classification"], {"localization": 1.0})
    with pytest.raises(ConfigError, match=r"task.weights names 'localisation', which is no part; did you mean"):
        build(["classification"], {"classification": 1.0, "localisation": 1.0})
    with pytest.raises(ConfigError, match=r"loss.part does not"):
        build(["classification"], loss=Parallel({"localization": SquaredBox()}))
