"""mixup (Zhang et al., ICLR 2018, arXiv 1710.09412): the weighted mean of two images, and of their losses."""

from random import Random

import torch

from vggexp.sample.mix.pair import Draw, paired, partners
from vggexp.types import Batch, Mixed


class MixUp:
    """Each image is blended with another of its batch, in one share for the whole batch, as in the paper's code.

    The blend is rounded to whole colours.

    Args:
        alpha, probability: see ``Draw``.
    """

    def __init__(self, alpha: float = 0.2, probability: float = 1.0) -> None:
        self._draw = Draw(alpha, probability)

    def __call__(self, batch: Batch, seed: int) -> Mixed:
        """The blended images with either label; see ``types.Mix``."""
        share = self._draw(Random(seed))
        if share is None:
            return [(1.0, batch)]
        images = batch["image"]
        blend = images.float().mul_(share).add_(partners(images), alpha=1 - share)
        return paired(batch, blend.round_().to(torch.uint8), share)
