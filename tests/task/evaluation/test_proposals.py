"""Proposals: boxes cover the photo, and each pixel takes the maximum of the boxes that contain it."""

import pytest
import torch
from torch import Tensor

from vggexp.loss.cross_entropy import CrossEntropy
from vggexp.task.evaluation.proposals import Proposals
from vggexp.task.segmentation import Segmentation
from vggexp.types import DataInfo

TASK = Segmentation(DataInfo((), ("a", "b")), CrossEntropy())


def test_the_maximum_by_hand() -> None:
    """The whole photo scores 1 everywhere; of the four halves each scores its number, and overlaps take the larger."""
    calls: list[int] = []

    def forward(seen: Tensor) -> Tensor:
        numbers = torch.arange(len(calls), len(calls) + len(seen)).float()
        calls.extend([0] * len(seen))
        first = numbers.view(-1, 1, 1, 1).expand(-1, 1, *seen.shape[-2:])
        return torch.cat([first, torch.full_like(first, 1.5)], 1)

    way = Proposals([32, 32], batch_size=3, shares=[1.0, 0.75], overlap=0.5)
    assert way.boxes(40, 80) == [(0, 0, 40, 80), (0, 0, 30, 60), (0, 20, 30, 60), (10, 0, 30, 60), (10, 20, 30, 60)]
    scores = way.outputs(forward, TASK, torch.zeros(1, 3, 40, 80, dtype=torch.uint8))
    assert isinstance(scores, Tensor)
    expected = torch.zeros(40, 80)
    for number, (top, left, rows, columns) in enumerate(way.boxes(40, 80)):
        expected[top : top + rows, left : left + columns] = number  # later boxes score more
    torch.testing.assert_close(scores[0, 0], expected)
    mask = way(forward, TASK, torch.zeros(1, 3, 40, 80, dtype=torch.uint8))["mask"]
    assert mask.shape == (1, 40, 80)


def test_one_box_is_the_plain_network() -> None:
    def forward(seen: Tensor) -> Tensor:
        return seen[:, :2].float()

    image = torch.randint(0, 256, (1, 3, 32, 40), dtype=torch.uint8)
    found = Proposals([32, 40], 4, shares=[1.0]).outputs(forward, TASK, image)
    torch.testing.assert_close(found, forward(image))


def test_a_mirrored_box_is_mirrored_back() -> None:
    def forward(seen: Tensor) -> Tensor:
        return torch.stack([seen[:, 0], seen.roll(1, -1)[:, 1]], 1).float()

    image = torch.randint(0, 256, (1, 3, 32, 40), dtype=torch.uint8)
    found = Proposals([32, 40], 4, shares=[1.0], flip=True).outputs(forward, TASK, image)
    torch.testing.assert_close(found, (forward(image) + forward(image.flip(-1)).flip(-1)) / 2)


def test_a_pixel_in_no_box_is_refused() -> None:
    with pytest.raises(ValueError, match=r"evaluation.shares=\[0.5\]: give shares of the photo up to 1"):
        Proposals([32, 32], 1, shares=[0.5])
