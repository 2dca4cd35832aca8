"""Two lists of objects are compared as sets: order does not count, a missing one does."""

import pytest
import torch

from vggexp.deploy.object_difference import object_difference
from vggexp.types import ObjectList, Objects

BOXES = torch.tensor([[0.0, 0, 10, 10], [20, 20, 40, 30]])
RUN = ObjectList([Objects(BOXES, torch.tensor([0, 1]), scores=torch.tensor([0.8, 0.8]))])


def given(
    boxes: torch.Tensor = BOXES, labels: tuple[int, int] = (0, 1), scores: tuple[float, float] = (0.8, 0.8)
) -> dict[str, torch.Tensor]:
    return {
        "object_boxes": boxes[None],
        "object_labels": torch.tensor([labels]),
        "object_scores": torch.tensor([scores]),
    }


def test_the_same_in_another_order_differs_by_nothing() -> None:
    assert object_difference(RUN, given(BOXES.flip(0), (1, 0)), (100, 100)) == {
        "object_boxes": 0, "object_scores": 0, "object_labels": 0,
    }  # fmt: skip


def test_what_is_moved_is_measured_and_what_is_missing_is_counted() -> None:
    moved = object_difference(RUN, given(BOXES + torch.tensor([0.5, 0, 0, 0])), (100, 100))
    assert moved == {"object_boxes": pytest.approx(0.005), "object_scores": 0, "object_labels": 0}
    assert object_difference(RUN, given(labels=(0, 0)), (100, 100))["object_labels"] == 0.5
    assert object_difference(RUN, given(scores=(0.8, 0.0)), (100, 100))["object_labels"] == pytest.approx(1 / 3)
    assert object_difference(RUN, given(scores=(0.8, 0.7)), (100, 100))["object_labels"] == 0.5
