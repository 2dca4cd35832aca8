"""The centre of a photo, as ImageNet's classifiers are compared: one crop of a photo whose shorter side is Q."""

from collections.abc import Sequence

from vggexp.task.evaluation.multicrop import Multicrop


class Center(Multicrop):
    """The class probabilities of a photo's centre; of several scales and of the mirror image their mean.

    Args:
        image_size, batch_size, sides, flip: see ``Multicrop``.
    """

    def __init__(
        self, image_size: Sequence[int], batch_size: int, sides: Sequence[int] | None = None, flip: bool = False
    ) -> None:
        super().__init__(image_size, batch_size, sides, grid=1, flip=flip)
