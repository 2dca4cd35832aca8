"""Dense and multi-crop together: by hand."""

import torch
from torch import Tensor

from vggexp.loss.cross_entropy import CrossEntropy
from vggexp.task.classification import Classification
from vggexp.task.evaluation.both import Both
from vggexp.types import DataInfo


def test_it_is_the_mean_of_the_two_probabilities() -> None:
    def forward(images: Tensor) -> Tensor:
        return torch.tensor([[1.0, 0.0]]).expand(len(images), 2)

    def maps(images: Tensor) -> Tensor:
        return torch.tensor([0.0, 3.0]).view(1, 2, 1, 1).expand(1, 2, 2, 2)

    task = Classification(DataInfo(("a", "b"), ()), CrossEntropy())
    found = Both([32, 32], 8, maps, sides=[40])(forward, task, torch.zeros(1, 3, 40, 40, dtype=torch.uint8))
    expected = (torch.tensor([1.0, 0.0]).softmax(0) + torch.tensor([0.0, 3.0]).softmax(0)) / 2
    torch.testing.assert_close(found["probability"][0], expected)
