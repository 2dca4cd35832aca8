import pytest
import torch

from vggexp.errors import ConfigError
from vggexp.loss.smooth_l1 import SmoothL1


def test_square_near_line_far() -> None:
    outputs = torch.tensor([[0.05, 0.0, 0.0, 0.5], [0.0, 0.0, 0.0, 0.0]])
    near, far = 0.05**2 / (2 * 0.1), 0.5 - 0.1 / 2
    assert float(SmoothL1(0.1)(outputs, torch.zeros(2, 4))) == pytest.approx((near + far) / 2)


def test_beta_zero_is_l1() -> None:
    outputs = torch.rand(3, 4)
    torch.testing.assert_close(SmoothL1(0.0)(outputs, torch.zeros(3, 4)), outputs.sum(1).mean())


def test_beta_cannot_be_negative() -> None:
    with pytest.raises(ConfigError, match=r"loss.beta is -1"):
        SmoothL1(-1)
