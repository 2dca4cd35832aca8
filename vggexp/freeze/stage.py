"""Freeze some stages and tune the others.

With the first stages frozen, general features near the image stay, and specific ones near the head train (Yosinski
et al., "How transferable are features in deep neural networks?", arXiv 1411.1792). With other stages frozen this is
surgical fine-tuning (Lee et al., arXiv 2210.11466): the kind of distribution shift decides which stages to tune.
"""

from collections.abc import Sequence

from vggexp.types import ParameterInfo


class Stages:
    """The named stages are frozen; the other stages and the head train.

    Args:
        stages: how many, counted from the image: 0 (none) to 5 (the whole backbone); or a list of stages, from 1.
    """

    constant = True

    def __init__(self, stages: int | Sequence[int] = 3) -> None:
        frozen = range(1, stages + 1) if isinstance(stages, int) else stages
        if not set(frozen) <= {1, 2, 3, 4, 5} or (isinstance(stages, int) and stages < 0):
            raise ValueError(f"freeze.stages={stages}: VGG has 5 stages; give 0 to 5, or a list such as [1,2,5]")
        self.frozen = frozenset(frozen)

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """Factor 0 in the frozen stages, 1 elsewhere."""
        return 0.0 if parameter.stage in self.frozen else 1.0
