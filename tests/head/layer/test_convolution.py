"""On a map smaller than the kernel's reach, the result and the gradients are those that torch gives in float32."""

import pytest
import torch
from torch import nn

from vggexp.head.layer.convolution import Convolution


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (2, 2), (3, 4)])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (5, 1), (7, 1)])
def test_it_is_the_convolution_in_bfloat16_too(kernel: int, stride: int, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    ours, theirs = (kind(64, 128, kernel, stride=stride, padding=kernel // 2) for kind in (Convolution, nn.Conv2d))
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(8, 64, *size)
    expected = theirs(x)
    expected.sum().backward()
    torch.testing.assert_close(ours(x), expected)
    for _ in range(3):
        junk = torch.full((ours.weight.numel(),), 1e30)  # what the gradient may find in its memory
        del junk
        ours.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            ours(x).float().sum().backward()
        assert ours.weight.grad is not None
        torch.testing.assert_close(ours.weight.grad, theirs.weight.grad, atol=0.3, rtol=0.02)
