import math

import pytest
import torch

from vggexp.errors import ConfigError
from vggexp.loss.binary_cross_entropy import BinaryCrossEntropy

LOGITS = torch.tensor([[0.0, math.log(3)], [math.log(4), 0.0]])  # probabilities 0.5, 0.75; 0.8, 0.5
LABELS = torch.tensor([[1, 0], [1, 1]], dtype=torch.uint8)
PARTS = torch.tensor([[math.log(2), math.log(4)], [math.log(1.25), math.log(2)]])
"""Of each image and class, by hand."""


def test_is_the_mean_over_images_and_classes() -> None:
    torch.testing.assert_close(BinaryCrossEntropy()(LOGITS, LABELS), PARTS.mean())


def test_weights_the_positives_of_each_class() -> None:
    weights = torch.tensor([[2.0, 1.0], [2.0, 3.0]])
    torch.testing.assert_close(BinaryCrossEntropy([2, 3])(LOGITS, LABELS), (weights * PARTS).mean())


def test_balanced_weights_are_negatives_over_positives() -> None:
    loss = BinaryCrossEntropy("balanced")
    loss.set_class_frequency(torch.tensor([0.2, 1.0]))
    assert loss.weight is not None
    torch.testing.assert_close(loss.weight, torch.tensor([4.0, 1.0]))  # every image shows the second
    assert not loss.state_dict()


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ("balance", r"loss\.pos_weight is 'balance'; use balanced, a list of numbers or null"),
        ([1, -1], r"loss\.pos_weight=-1 is not a number of at least 0"),
        ([0, 0], "nothing would be learnt"),
    ],
)
def test_a_wrong_weight_is_an_error(weight: list[float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BinaryCrossEntropy(weight)


def test_weights_that_do_not_fit_are_an_error() -> None:
    with pytest.raises(ConfigError, match=r"loss\.pos_weight has 3 numbers for 2 classes"):
        BinaryCrossEntropy([1, 2, 3])(LOGITS, LABELS)
    with pytest.raises(ConfigError, match="needs the training targets observed first"):
        BinaryCrossEntropy("balanced")(LOGITS, LABELS)
