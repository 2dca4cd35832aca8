"""The centre crop."""

import torch

from vggexp.loss.cross_entropy import CrossEntropy
from vggexp.task.classification import Classification
from vggexp.task.evaluation.center import Center
from vggexp.types import DataInfo


def test_it_is_the_middle_of_the_scaled_photo() -> None:
    seen = []

    def forward(images: torch.Tensor) -> torch.Tensor:
        seen.append(images)
        return images.float().mean((-1, -2))

    image = torch.randint(0, 256, (1, 3, 40, 52), dtype=torch.uint8)
    Center([32, 32], 8, sides=[40])(forward, Classification(DataInfo(("a", "b", "c"), ()), CrossEntropy()), image)
    (crop,) = seen
    assert torch.equal(crop, image[..., 4:36, 10:42])
