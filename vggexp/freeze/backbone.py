"""The lecture's setting: the convolutions are frozen, the dense layers train."""

from vggexp.types import ParameterInfo


class WholeBackbone:
    """Every stage of the backbone is frozen; the head trains."""

    constant = True

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """Factor 0 in the backbone, 1 in the head."""
        return 1.0 if parameter.stage is None else 0.0
