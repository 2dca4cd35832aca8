"""The sum of the losses that a head computes itself."""

import pytest
import torch

from vggexp.errors import ConfigError
from vggexp.loss.from_head import FromHead

LOSSES = {"box": torch.tensor(2.0), "class": torch.tensor(0.5, dtype=torch.bfloat16)}


def test_each_counts_once_or_by_its_weight() -> None:
    assert FromHead()(LOSSES).item() == 2.5
    assert FromHead()(LOSSES).dtype == torch.float32
    assert FromHead({"box": 0.5})(LOSSES).item() == 1.5


def test_a_weight_of_no_loss_and_a_negative_one_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"loss\.weights\.boxes: the head has no such loss; did you mean 'box'"):
        FromHead({"boxes": 1.0})(LOSSES)
    with pytest.raises(ConfigError, match=r"loss\.weights"):
        FromHead({"box": -1.0})
