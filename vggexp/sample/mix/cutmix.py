"""CutMix (Yun et al., ICCV 2019, arXiv 1905.04899): a rectangle of another image, and its share of the loss."""

from math import sqrt
from random import Random

from vggexp.sample.mix.pair import Draw, paired, partners
from vggexp.types import Batch, Mixed


class CutMix:
    """Into each image a rectangle of another one of its batch is pasted, at one place for the whole batch.

    The rectangle has the image's proportions; where it would reach over the edge it is cut, and the share is what is
    left, as in the paper's code.

    Args:
        alpha, probability: see ``Draw``.
    """

    def __init__(self, alpha: float = 1.0, probability: float = 1.0) -> None:
        self._draw = Draw(alpha, probability)

    def __call__(self, batch: Batch, seed: int) -> Mixed:
        """The pasted images with either label; see ``types.Mix``."""
        random = Random(seed)
        if (share := self._draw(random)) is None:
            return [(1.0, batch)]
        images = batch["image"].clone()
        height, width = images.shape[-2:]
        rows, columns = (_stretch(side, sqrt(1 - share), random) for side in (height, width))
        images[..., rows, columns] = partners(batch["image"])[..., rows, columns]
        pasted = (rows.stop - rows.start) * (columns.stop - columns.start)
        return paired(batch, images, 1 - pasted / (height * width))


def _stretch(side: int, share: float, random: Random) -> slice:
    """That share of a side, about a random pixel, as far as it lies on the side."""
    middle, half = random.randrange(side), int(side * share / 2)
    return slice(max(middle - half, 0), min(middle + half, side))
