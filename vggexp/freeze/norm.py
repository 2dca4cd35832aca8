"""Train the normalisation layers and the head; every convolution is frozen.

Frankle, Schwab & Morcos, "Training BatchNorm and Only BatchNorm", arXiv 2003.00152.
"""

from vggexp.types import ParameterInfo


class NormOnly:
    """The scales and shifts of the backbone's normalisation layers and the head train."""

    constant = True

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """Factor 1 in the head and in normalisation layers, 0 elsewhere."""
        return 1.0 if parameter.stage is None or parameter.is_norm else 0.0
