"""Freeze the general features near the image, tune the special ones near the head."""

from vggexp.types import ParameterInfo


class FirstStages:
    """The first ``stages`` stages are frozen, 0 (none) to 5 (the whole backbone)."""

    constant = True

    def __init__(self, stages: int = 3) -> None:
        if not 0 <= stages <= 5:
            raise ValueError(f"freeze.stages={stages}: VGG has 5 stages, give 0 to 5")
        self.stages = stages

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """Factor 0 in the first stages, 1 after them."""
        return 0.0 if parameter.stage is not None and parameter.stage <= self.stages else 1.0
