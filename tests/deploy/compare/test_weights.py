"""Distances of weights, weighted means, barriers and statistics of batch normalisation, each computed another way."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vggexp.deploy.batch_statistics import estimate, moved_norms
from vggexp.deploy.compare.between import along, barrier, shares
from vggexp.deploy.compare.drift import by_layer, distance, same_shapes
from vggexp.transfer.average import mismatch, weighted


class Network(nn.Module):
    """Two linear layers, each with batch normalisation before it; images are rows of numbers."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        super().__init__()
        self.first, self.one = nn.BatchNorm1d(3), nn.Linear(3, 4)
        self.second, self.two = nn.BatchNorm1d(4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.two(self.second(self.one(self.first(x))))


def networks(count: int = 2) -> list[Any]:
    torch.manual_seed(0)
    return [Network() for _ in range(count)]


def copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: one.clone() for name, one in network.state_dict().items()}


def test_a_layers_distance_counts_its_weight_and_bias_together() -> None:
    first = {"a.weight": torch.tensor([3.0, 0.0]), "a.bias": torch.tensor([4.0]), "b.weight": torch.tensor([2.0])}
    second = {"a.weight": torch.tensor([3.0, 3.0]), "a.bias": torch.tensor([8.0]), "b.weight": torch.tensor([2.0])}
    assert by_layer(first, second) == {"a": 1.0, "b": 0.0}
    assert distance(first, second) == pytest.approx(5 / 29**0.5)
    assert not same_shapes(first, {"a.weight": torch.zeros(2)})


def test_a_weighted_mean_of_linear_layers_gives_the_weighted_mean_of_their_outputs() -> None:
    torch.manual_seed(0)
    layers = [nn.Linear(3, 2) for _ in range(3)]
    x, mean = torch.randn(5, 3), nn.Linear(3, 2)
    mean.load_state_dict(weighted([one.state_dict() for one in layers], [0.5, 0.3, 0.2]))
    expected = 0.5 * layers[0](x) + 0.3 * layers[1](x) + 0.2 * layers[2](x)
    torch.testing.assert_close(mean(x), expected)
    assert weighted([{"n": torch.tensor(3)}, {"n": torch.tensor(9)}], [0.5, 0.5])["n"] == 3
    assert "only one of them has b" in mismatch({"a": x}, {"a": x, "b": x})
    assert "5 x 3 in one and 3 x 5" in mismatch({"a": x}, {"a": x.T})


def test_statistics_are_the_means_over_batches_of_what_enters_each_layer() -> None:
    (network,) = networks(1)
    network.second.running_mean.fill_(7.0)
    before = copied(network)
    batches = [torch.randn(4, 3) * 2 + 1 for _ in range(3)]
    estimate(network, [{"image": one} for one in batches], ["first", "second"], images=12)  # type: ignore[typeddict-item]
    means = torch.stack([one.mean(0) for one in batches]).mean(0)
    variances = torch.stack([one.var(0) for one in batches]).mean(0)
    torch.testing.assert_close(network.first.running_mean, means)
    torch.testing.assert_close(network.first.running_var, variances)
    normal = [(one - one.mean(0)) / (one.var(0, unbiased=False) + 1e-5).sqrt() for one in batches]
    entering = torch.stack([network.one(one).mean(0) for one in normal]).mean(0)
    torch.testing.assert_close(network.second.running_mean, entering)
    assert torch.equal(network.one.weight, before["one.weight"])
    assert not any(layer.training for layer in network.modules())
    assert network.first.momentum == 0.1


def test_only_what_lies_behind_the_first_difference_is_estimated_anew() -> None:
    (network,) = networks(1)
    states = [copied(network), copied(network)]
    assert moved_norms(network, states) == []
    states[1]["one.weight"] += 1
    assert moved_norms(network, states) == ["second"]
    states[1]["first.running_mean"] += 1
    assert moved_norms(network, states) == ["first", "second"]


def test_the_line_is_scored_at_means_of_the_weights_and_ends_where_it_began() -> None:
    one, other = networks()
    states = (copied(one), copied(other))
    seen: list[Tensor] = []

    def score(network: Any) -> dict[str, float]:
        seen.append(network.two.weight.detach().clone())
        return {"val/loss": float(len(seen))}

    found = along(one, states, 3, [{"image": torch.randn(4, 3)}], 4, score)  # type: ignore[typeddict-item]
    assert found["share"] == shares(3) == [0, 0.5, 1]
    assert [each["val/loss"] for each in found["scores"]] == [1, 2, 3]
    torch.testing.assert_close(seen[1], (states[0]["two.weight"] + states[1]["two.weight"]) / 2)
    torch.testing.assert_close(seen[2], states[1]["two.weight"])
    assert torch.equal(one.two.weight, states[0]["two.weight"])
    assert found["estimated"] == 1  # the first layer is the same in both


def test_a_barrier_is_the_height_above_the_chord() -> None:
    at = shares(5)
    loss = [1.0, 1.5, 4.0, 2.5, 3.0]
    chord = torch.linspace(1, 3, 5).tolist()
    assert barrier(loss, at) == pytest.approx(max(a - b for a, b in zip(loss, chord, strict=True)))
    assert barrier([1.0, 0.5, 0.0], at[::2]) == 0
    assert barrier([-one for one in loss], at, "max") == barrier(loss, at)
