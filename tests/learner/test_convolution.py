"""On a map smaller than the kernel's reach, the result and the gradients are those that torch gives in float32."""

import pytest
import torch
from torch import nn

from vggexp.learner.convolution import Convolution, guard

KINDS = {
    "3x3, stride 2": {"kernel_size": 3, "stride": 2, "padding": 1},
    "5x5": {"kernel_size": 5, "padding": 2},
    "7x7": {"kernel_size": 7, "padding": 3},
    "3x3, dilation 6": {"kernel_size": 3, "padding": 6, "dilation": 6},
    "5x5, depthwise": {"kernel_size": 5, "padding": 2, "groups": 64},
    "3x3, stride 2, 2 groups": {"kernel_size": 3, "stride": 2, "padding": 1, "groups": 2},
}


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (2, 2), (3, 4)])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_convolution_in_bfloat16_too(kind: str, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    ours, theirs = (nn.Sequential(nn.Conv2d(64, 128, **KINDS[kind])) for _ in range(2))  # type: ignore[arg-type]
    theirs.load_state_dict(ours.state_dict())
    guard(ours)
    x = torch.randn(8, 64, *size)
    expected = theirs(x)
    expected.sum().backward()
    torch.testing.assert_close(ours(x), expected)
    for _ in range(3):
        junk = torch.full((ours[0].weight.numel(),), 1e30)  # what the gradient may find in its memory
        del junk
        ours.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            ours(x).float().sum().backward()
        assert ours[0].weight.grad is not None
        torch.testing.assert_close(ours[0].weight.grad, theirs[0].weight.grad, atol=0.3, rtol=0.02)


class Own(nn.Conv2d):
    """A convolution that does something else."""


def test_every_plain_padded_convolution_of_a_network_is_guarded() -> None:
    layers = nn.ModuleDict({
        "padded": nn.Conv2d(1, 1, 3, padding=1), "bare": nn.Conv2d(1, 1, 3), "same": nn.Conv2d(1, 1, 3, padding="same"),
        "mirrored": nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"), "own": Own(1, 1, 3, padding=1),
    })  # fmt: skip
    before = [*layers.state_dict()]
    guard(nn.Sequential(layers, nn.Linear(1, 1)))
    assert [name for name, layer in layers.items() if isinstance(layer, Convolution)] == ["padded"]
    assert [*layers.state_dict()] == before
