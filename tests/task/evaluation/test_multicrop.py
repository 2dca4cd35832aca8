"""Crops: where they lie, how many there are, and that their probabilities are averaged."""

import torch
from torch import Tensor

from vggexp.loss.cross_entropy import CrossEntropy
from vggexp.task.classification import Classification
from vggexp.task.evaluation.multicrop import Multicrop
from vggexp.task.evaluation.sides import at_side, crops
from vggexp.types import DataInfo

TASK = Classification(DataInfo(("a", "b", "c"), ()), CrossEntropy())


def photo(height: int, width: int) -> Tensor:
    return torch.randint(0, 256, (1, 3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def colour(seen: Tensor) -> Tensor:
    return seen[..., : seen.shape[-1] // 2].float().mean((-1, -2)) / 20


def test_the_paper_s_150_views_of_three_scales() -> None:
    sizes: list[tuple[int, ...]] = []

    def forward(seen: Tensor) -> Tensor:
        sizes.extend([tuple(each.shape) for each in seen])
        return colour(seen)

    Multicrop([32, 32], batch_size=16, sides=[36, 48, 64])(forward, TASK, photo(60, 80))
    assert len(sizes) == 150
    assert set(sizes) == {(3, 32, 32)}


def test_the_grid_reaches_from_corner_to_corner() -> None:
    image = photo(40, 60)
    seen = crops(image, (32, 32), 5)
    assert len(seen) == 25
    assert torch.equal(seen[0], image[..., :32, :32])
    assert torch.equal(seen[1], image[..., :32, 7:39])
    assert torch.equal(seen[-1], image[..., 8:, 28:])


def test_the_shorter_side_is_q() -> None:
    assert at_side(photo(50, 70), 40).shape == (1, 3, 40, 56)
    assert at_side(photo(70, 50), 40).shape == (1, 3, 56, 40)


def test_the_mean_of_the_crops_probabilities_whatever_the_batch() -> None:
    image = photo(36, 50)
    expected = torch.stack(
        [colour(view).softmax(1) for crop in crops(image, (32, 32), 3) for view in (crop, crop.flip(-1))]
    ).mean(0)
    for batch in (1, 4, 100):
        found = Multicrop([32, 32], batch, sides=[36], grid=3)(colour, TASK, image)["probability"]
        torch.testing.assert_close(found, expected)
