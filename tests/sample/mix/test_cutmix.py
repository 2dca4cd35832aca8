"""CutMix: the labels count as much as the pixels that are theirs."""

import pytest
import torch

from vggexp.sample.mix.cutmix import CutMix
from vggexp.types import Batch


def test_shares_are_those_of_the_pixels_in_one_rectangle() -> None:
    values = torch.tensor([10, 20, 30], dtype=torch.uint8)
    batch: Batch = {"image": values.view(3, 1, 1, 1).expand(3, 3, 20, 30).contiguous(), "label": torch.arange(3)}
    pasted = []
    for seed in range(200):
        (share, own), (rest, other) = CutMix()(batch, seed)
        for row in range(3):
            foreign = own["image"][row, 0] == values[int(other["label"][row])]
            assert torch.equal(own["image"][row, 0] == values[row], ~foreign)
            assert float(foreign.float().mean()) == pytest.approx(rest, abs=1e-6)
            lines, columns = foreign.any(1).sum(), foreign.any(0).sum()
            assert lines * columns == foreign.sum()
        assert share + rest == pytest.approx(1)
        pasted.append(rest)
    assert len(set(pasted)) > 50


def test_a_rectangle_has_the_share_that_was_drawn_unless_the_edge_cuts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.Random.betavariate", lambda self, a, b: 0.75)
    monkeypatch.setattr("random.Random.randrange", lambda self, side: side // 2)
    batch: Batch = {"image": torch.zeros(2, 3, 40, 60, dtype=torch.uint8), "label": torch.arange(2)}
    assert CutMix()(batch, 0)[0][0] == pytest.approx(0.75)
    monkeypatch.setattr("random.Random.randrange", lambda self, side: 0)
    assert CutMix()(batch, 0)[0][0] == pytest.approx(1 - 0.25 / 4)
