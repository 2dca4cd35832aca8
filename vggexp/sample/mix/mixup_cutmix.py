"""mixup or CutMix, drawn for each batch, as timm and torchvision's recipes do."""

from random import Random

from vggexp.sample.mix.cutmix import CutMix
from vggexp.sample.mix.mixup import MixUp
from vggexp.types import Batch, Mixed


class MixUpCutMix:
    """One of the two for each batch.

    Args:
        mixup_alpha, cutmix_alpha: of each; see ``Draw``.
        switch: the probability of CutMix, where a batch is mixed.
        probability: that a batch is mixed.

    Raises:
        ValueError: an argument that cannot be.
    """

    def __init__(
        self, mixup_alpha: float = 0.2, cutmix_alpha: float = 1.0, switch: float = 0.5, probability: float = 1.0
    ) -> None:
        if not 0 <= switch <= 1:
            raise ValueError(f"mix.switch={switch} is not a number from 0 to 1")
        self._switch = switch
        self._mixup, self._cutmix = MixUp(mixup_alpha, probability), CutMix(cutmix_alpha, probability)

    def __call__(self, batch: Batch, seed: int) -> Mixed:
        """The mixed images with either label; see ``types.Mix``."""
        random = Random(seed)
        mix = self._cutmix if random.random() < self._switch else self._mixup
        return mix(batch, random.getrandbits(63))
