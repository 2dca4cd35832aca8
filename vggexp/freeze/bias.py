"""Train the biases and the head; every weight of the backbone is frozen.

Ben Zaken, Ravfogel & Goldberg, "BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked
Language-models", arXiv 2106.10199.
"""

from vggexp.types import ParameterInfo


class BiasOnly:
    """The backbone's biases, including the shifts of its normalisation layers, and the head train."""

    constant = True

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """Factor 1 in the head and for biases, 0 elsewhere."""
        return 1.0 if parameter.stage is None or parameter.is_bias else 0.0
