import math

import pytest
import torch
from torch.nn import functional

from vggexp.errors import ConfigError
from vggexp.loss.cross_entropy import CrossEntropy, median_frequency
from vggexp.types import VOID


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    mask = torch.randint(0, 4, (3, 5, 6), dtype=torch.uint8)
    mask[0, :2] = VOID
    return torch.randn(3, 4, 5, 6), mask


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weight", [None, [1.0, 0.5, 3.0, 2.0]])
def test_is_torchs_mean_with_void_left_out(smoothing: float, weight: list[float] | None) -> None:
    outputs, mask = batch()
    expected = functional.cross_entropy(
        outputs,
        mask.long(),
        None if weight is None else torch.tensor(weight),
        ignore_index=VOID,
        label_smoothing=smoothing,
    )
    torch.testing.assert_close(CrossEntropy(smoothing, weight)(outputs, mask), expected)


def test_by_hand() -> None:
    """Two labels, softmax shares 3/4 and 1/2 for the right ones."""
    logits = torch.tensor([[math.log(3), 0.0], [0.0, 0.0]])
    assert float(CrossEntropy()(logits, torch.tensor([0, 1]))) == pytest.approx(-(math.log(0.75) + math.log(0.5)) / 2)


def test_median_frequency() -> None:
    loss = CrossEntropy(class_weight="median_frequency")
    loss.set_class_frequency(torch.tensor([0.6, 0.3, 0.1, 0.05]))
    assert loss.weight is not None
    torch.testing.assert_close(loss.weight, torch.tensor([0.2 / 0.6, 0.2 / 0.3, 2.0, 4.0]))
    outputs, mask = batch()
    expected = functional.cross_entropy(outputs, mask.long(), loss.weight, ignore_index=VOID)
    torch.testing.assert_close(loss(outputs, mask), expected)
    milder = CrossEntropy(class_weight="sqrt_median_frequency")
    milder.set_class_frequency(torch.tensor([0.6, 0.3, 0.1, 0.05]))
    torch.testing.assert_close(milder.weight, loss.weight.sqrt())


def test_fixed_and_equal_weights_ignore_the_frequencies() -> None:
    for loss in (CrossEntropy(), CrossEntropy(class_weight=[1.0, 2.0])):
        before = loss.weight
        loss.set_class_frequency(torch.tensor([0.9, 0.1]))
        assert loss.weight is before


def test_weights_follow_to_the_device_and_stay_out_of_the_state() -> None:
    loss = CrossEntropy(class_weight=[1.0, 2.0])
    assert not loss.state_dict()
    assert loss.to("meta").weight.device.type == "meta"  # type: ignore[union-attr]


def test_says_what_is_wrong() -> None:
    with pytest.raises(ConfigError, match="2 numbers for 4 classes"):
        CrossEntropy(class_weight=[1.0, 2.0])(*batch())
    with pytest.raises(ConfigError, match="median_frequency, a list"):
        CrossEntropy(class_weight="balanced")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="label_smoothing is 2"):
        CrossEntropy(label_smoothing=2)
    with pytest.raises(ConfigError, match="needs the training targets observed first"):
        CrossEntropy(class_weight="median_frequency")(*batch())


def test_median_of_an_even_number_lies_between() -> None:
    torch.testing.assert_close(median_frequency(torch.tensor([1.0, 3.0])), torch.tensor([2.0, 2 / 3]))
