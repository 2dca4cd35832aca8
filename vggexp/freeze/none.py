"""No freezing: the whole network trains."""

from vggexp.types import ParameterInfo


class Nothing:
    """Every parameter trains at the full rate."""

    constant = True

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """Factor 1 for all."""
        return 1.0
