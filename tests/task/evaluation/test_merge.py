"""OverFeat's merging of boxes, by hand and against the algorithm as the paper lists it."""

import pytest
import torch
from torch import Tensor

from vggexp.task.evaluation.merge import apart, merge


def test_two_near_boxes_become_their_mean_and_their_evidence_adds_up() -> None:
    """4 x 4 and moved by 1: a quarter of a side, and an IoU of 12 / 20. The third box is far away."""
    boxes = torch.tensor([[0.0, 0, 4, 4], [10.0, 10, 14, 14], [1.0, 0, 5, 4]])
    evidence = torch.tensor([[0.5, 0.25], [0.125, 0.0], [0.25, 0.5]])
    assert float(apart(boxes[0], boxes[2])) == pytest.approx(1 / 4 + 1 - 12 / 20)
    left, added = merge(boxes, evidence, limit=0.66)
    assert left.tolist() == [[0.5, 0, 4.5, 4], [10, 10, 14, 14]]
    assert added.tolist() == [[0.75, 0.75], [0.125, 0]]
    left, added = merge(boxes, evidence, limit=0.64)
    assert torch.equal(left, boxes)
    assert torch.equal(added, evidence)


def as_listed(boxes: Tensor, evidence: Tensor, limit: float) -> list[tuple[list[float], list[float]]]:
    """Steps d to g of section 4.3."""
    left = list(zip(boxes, evidence, strict=True))
    while len(left) > 1:
        pairs = [(float(apart(left[i][0], left[j][0])), i, j) for i in range(len(left)) for j in range(i)]
        score, i, j = min(pairs)
        if score > limit:
            break
        joined = ((left[i][0] + left[j][0]) / 2, left[i][1] + left[j][1])
        left = [one for place, one in enumerate(left) if place not in (i, j)] + [joined]
    return sorted((box.tolist(), added.tolist()) for box, added in left)


@pytest.mark.parametrize("limit", [0.6, 0.9, 10.0])
def test_it_is_the_algorithm_as_listed(limit: float) -> None:
    generator = torch.Generator().manual_seed(3)
    corner, side = torch.rand(25, 2, generator=generator), torch.rand(25, 2, generator=generator) / 2 + 0.2
    boxes, evidence = torch.cat((corner, corner + side), 1), torch.rand(25, 4, generator=generator)
    left, added = merge(boxes, evidence, limit)
    found, expected = sorted(zip(left.tolist(), added.tolist(), strict=True)), as_listed(boxes, evidence, limit)
    assert 1 <= len(found) < 25
    torch.testing.assert_close(torch.tensor([box for box, _ in found]), torch.tensor([box for box, _ in expected]))
    torch.testing.assert_close(torch.tensor([one for _, one in found]), torch.tensor([one for _, one in expected]))
    torch.testing.assert_close(added.sum(0), evidence.sum(0))


def test_nothing_and_one_box_stay() -> None:
    for count in (0, 1):
        left, added = merge(torch.rand(count, 4), torch.rand(count, 2), 1.0)
        assert (len(left), len(added)) == (count, count)
