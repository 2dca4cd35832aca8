"""Scale and shift: the layers are frozen, and each channel gets a trainable factor and a trainable summand.

Lian et al., "Scaling & Shifting Your Features: A New Baseline for Efficient Model Tuning", arXiv 2210.08823. Scale and
shift follow each convolution; its frozen normalisation is linear, so a pair of its own would add nothing.
"""

from collections.abc import Sequence

from torch import nn

from vggexp.freeze.lora import layers_of
from vggexp.transfer.adapters import Scale, Shift, add
from vggexp.types import ParameterInfo


class ScaleShift:
    """The factors and summands of the convolutions' channels and the head train; all else in the backbone is frozen.

    The factor scales a convolution's weight, the summand joins its bias: as features, y = scale * (W x) + b + shift.

    Args:
        stages: which stages get them, from 1; None: all.
    """

    constant = True

    def __init__(self, stages: Sequence[int] | None = None) -> None:
        if stages is not None and not stages:
            raise ValueError("freeze.stages is empty: give a list of stages")
        self.stages = stages

    def adapt(self, stages: Sequence[nn.Module]) -> None:
        """Add them to every convolution with a bias; in networks without such, to every batch normalisation."""
        layers = layers_of(stages, self.stages)
        biased = [layer for layer in layers if isinstance(layer, nn.Conv2d) and layer.bias is not None]
        norms = [layer for layer in layers if isinstance(layer, nn.BatchNorm2d) and layer.affine]
        for layer in biased or norms:
            add(layer, "weight", Scale(layer.weight))
            add(layer, "bias", Shift(layer.bias))  # type: ignore[arg-type]

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """Factor 1 in the head and for factors and summands, 0 elsewhere."""
        return 1.0 if parameter.stage is None or parameter.is_adapter else 0.0
