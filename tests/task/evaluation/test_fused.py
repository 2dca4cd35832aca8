"""Fusion: the mean and the product of two networks, by hand, for classes and for pixels."""

from functools import partial

import pytest
import torch
from torch import Tensor

from vggexp.loss.cross_entropy import CrossEntropy
from vggexp.task.classification import Classification
from vggexp.task.evaluation.fused import Fused
from vggexp.task.evaluation.sliding import Sliding
from vggexp.task.evaluation.whole import Whole
from vggexp.task.segmentation import Segmentation
from vggexp.types import DataInfo

CLASSES = Classification(DataInfo(("a", "b"), ()), CrossEntropy())
PIXELS = Segmentation(DataInfo((), ("a", "b")), CrossEntropy())
IMAGE = torch.zeros(1, 3, 40, 40, dtype=torch.uint8)


def says(share: float, images: Tensor) -> Tensor:
    """A network that gives class b this probability."""
    return torch.tensor([[1 - share, share]]).log().expand(len(images), 2)


def paints(share: float, images: Tensor) -> Tensor:
    return says(share, images)[..., None, None].expand(-1, -1, *images.shape[-2:])


@pytest.mark.parametrize(("how", "expected"), [("mean", 0.5), ("product", 0.8 * 0.2 / (0.8 * 0.2 + 0.2 * 0.8))])
def test_two_networks_that_contradict_each_other(how: str, expected: float) -> None:
    found = Fused(None, [(partial(says, 0.2), None)], how)(partial(says, 0.8), CLASSES, IMAGE)
    torch.testing.assert_close(found["probability"][0, 1], torch.tensor(expected))


def test_the_mean_and_the_product_may_choose_other_classes() -> None:
    """Probabilities of b; what follows from them stands behind each line."""
    others = [(partial(paints, 0.4), None), (partial(paints, 0.45), None)]
    assert Fused(None, others, "mean")(partial(paints, 0.7), PIXELS, IMAGE)["mask"].eq(1).all()  # 0.517
    assert Fused(None, others, "product")(partial(paints, 0.7), PIXELS, IMAGE)["mask"].eq(1).all()  # 0.126 to 0.099
    veto = [(partial(paints, 0.9), None), (partial(paints, 0.01), None)]
    assert Fused(None, veto, "mean")(partial(paints, 0.9), PIXELS, IMAGE)["mask"].eq(1).all()  # 0.603
    assert Fused(None, veto, "product")(partial(paints, 0.9), PIXELS, IMAGE)["mask"].eq(0).all()  # 0.0081 to 0.0099


def test_each_network_is_applied_in_its_own_way() -> None:
    def left(images: Tensor) -> Tensor:
        return images[..., 0].float().mean(2)[:, :2]

    image = torch.randint(0, 256, (1, 3, 40, 40), dtype=torch.uint8)
    found = Fused(Whole(flip=True), [(left, None)], "mean")(left, CLASSES, image)["probability"]
    own = (left(image).softmax(1) + left(image.flip(-1)).softmax(1)) / 2
    torch.testing.assert_close(found, (own + left(image).softmax(1)) / 2)


@pytest.mark.parametrize("how", ["mean", "product"])
def test_in_tiles_all_networks_see_the_same_ones(how: str) -> None:
    tiles = Sliding([32, 32], 4)
    found = Fused(tiles, [(partial(paints, 0.9), tiles)], how)(partial(paints, 0.2), PIXELS, IMAGE)["mask"]
    assert found.shape == (1, 40, 40)
    assert found.eq(1).all()
