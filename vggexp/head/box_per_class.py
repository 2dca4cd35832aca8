"""One box for each class: the paper's per-class regression.

Simonyan & Zisserman, arXiv 1409.1556, appendix A: the classifier's dense layers with 4 x C outputs. With the true
class given, its localisation error on ImageNet is 34.3%; with one box for all classes it is 36.4%.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from vggexp.head.box import coordinates, regressor
from vggexp.head.mlp import slide
from vggexp.types import Features, HeadSpec


class BoxPerClass(nn.Module):
    """Features to boxes (N, C, 4): for each class (x, y, h, w) as shares of the image, 0 to 1.

    Args:
        spec: the backbone's channels and the number of classes.
        hidden: units of each hidden layer, first to last.
        pool: size of the grid (pool x pool) to which the last stage is averaged.
        dropout: probability, after each hidden layer.
    """

    reads: frozenset[str] = frozenset()
    shallowest = 5

    def __init__(
        self, spec: HeadSpec, hidden: Sequence[int] = (4096, 4096), pool: int = 7, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.pool = pool
        self.regressor = regressor(spec.channels[-1], hidden, pool, dropout, boxes=spec.num_classes)

    def forward(self, features: Features) -> Tensor:
        """One box per class, (N, C, 4)."""
        boxes = coordinates(self.regressor(features.stages[-1]))
        return boxes.view(-1, boxes.shape[1] // 4, 4)  # torch.export would make len(boxes) a constant

    def maps(self, features: Features, grid: tuple[int, int]) -> Tensor:
        """The boxes of every window of ``grid`` cells, as shares of the window: (N, C, 4, h', w')."""
        boxes = coordinates(slide(self.regressor[2:], features.stages[-1], self.pool, grid))
        return boxes.view(len(boxes), -1, 4, *boxes.shape[-2:])
