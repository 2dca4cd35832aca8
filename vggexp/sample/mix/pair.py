"""What mixup and CutMix share: the draw, and a batch with the labels of either of the images that were mixed."""

from random import Random

from torch import Tensor

from vggexp.types import Batch, Mixed


class Draw:
    """Whether a batch is mixed, and how much of its images stays.

    Args:
        alpha: of the Beta(alpha, alpha) distribution of that share: below 1 it is mostly near 0 or 1, at 1 uniform.
        probability: that a batch is mixed.

    Raises:
        ValueError: an argument that cannot be.
    """

    def __init__(self, alpha: float, probability: float) -> None:
        if not alpha > 0:
            raise ValueError(f"mix.alpha={alpha} is not a number above 0")
        if not 0 <= probability <= 1:
            raise ValueError(f"mix.probability={probability} is not a number from 0 to 1")
        self.alpha, self.probability = alpha, probability

    def __call__(self, random: Random) -> float | None:
        """The share, 0 to 1; None: leave this batch as it is."""
        return random.betavariate(self.alpha, self.alpha) if random.random() < self.probability else None


def partners(values: Tensor) -> Tensor:
    """For each row of a batch, the row that is mixed into it: the one before."""
    return values.roll(1, 0)


def paired(batch: Batch, images: Tensor, share: float) -> Mixed:
    """The mixed images with their own labels, to that share, and with their partners' labels."""
    own: Batch = {**batch, "image": images}
    return [(share, own), (1 - share, {**own, "label": partners(batch["label"])})]
