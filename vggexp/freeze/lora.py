"""Low-rank adapters: the convolutions are frozen, and each gets a trainable change of its weight of low rank.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", arXiv 2106.09685.
"""

from collections.abc import Sequence

from torch import nn

from vggexp.transfer.adapters import LowRank, add
from vggexp.types import ParameterInfo


class Lora:
    """The adapters of the convolutions and the head train; all else in the backbone is frozen.

    Args:
        rank: of the change; a 3x3 convolution of n to m channels gets rank * (9 n + m) parameters.
        stages: which stages get adapters, from 1; None: all.
    """

    constant = True

    def __init__(self, rank: int = 4, stages: Sequence[int] | None = None) -> None:
        if rank < 1 or (stages is not None and not stages):
            raise ValueError(f"freeze.rank={rank} must be 1 or more, and freeze.stages={stages} a list of stages")
        self.rank, self.stages = rank, stages

    def adapt(self, stages: Sequence[nn.Module]) -> None:
        """Add an adapter to every convolution of the chosen stages; ValueError for a rank that none can have."""
        layers = [layer for layer in layers_of(stages, self.stages) if isinstance(layer, nn.Conv2d)]
        most = max((min(len(layer.weight), layer.weight[0].numel()) for layer in layers), default=self.rank)
        if self.rank > most:
            raise ValueError(f"freeze.rank={self.rank}: no weight that it changes has a rank above {most}; give less")
        for layer in layers:
            add(layer, "weight", LowRank(layer.weight, self.rank))

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """Factor 1 in the head and for adapters, 0 elsewhere."""
        return 1.0 if parameter.stage is None or parameter.is_adapter else 0.0


def layers_of(stages: Sequence[nn.Module], chosen: Sequence[int] | None) -> list[nn.Module]:
    """The layers of the chosen stages, from 1; ValueError for a stage that the backbone lacks."""
    known = range(1, len(stages) + 1)
    if unknown := sorted(set(chosen or ()) - set(known)):
        raise ValueError(f"freeze.stages: the backbone has no stage {unknown[0]}; its stages are 1 to {len(stages)}")
    return [layer for number in known if chosen is None or number in chosen for layer in stages[number - 1].modules()]
