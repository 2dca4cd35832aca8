"""A map of one cell is halved, and its weights learn, as torch says in float32."""

import pytest
import torch
from torch import nn

from vggexp.head.detection.halving import Halving


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (3, 4)])
def test_it_is_the_convolution_in_bfloat16_too(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    ours, theirs = Halving(32, 32), nn.Conv2d(32, 32, 3, stride=2, padding=1)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(8, 32, *size)
    expected = theirs(x)
    expected.sum().backward()
    torch.testing.assert_close(ours(x), expected)
    for _ in range(4):
        junk = torch.full((9 * 32 * 32,), 1e30)  # what the gradient may find in its memory
        del junk
        ours.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            ours(x).float().sum().backward()
        assert ours.weight.grad is not None
        torch.testing.assert_close(ours.weight.grad, theirs.weight.grad, atol=0.2, rtol=0.02)
