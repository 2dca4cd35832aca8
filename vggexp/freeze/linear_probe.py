"""Train the head first, then everything: a trained head distorts the backbone's features less.

Kumar et al., "Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution", arXiv 2202.10054
(LP-FT). The paper probes with a linear head; here it is the head of the run.
"""

from vggexp.types import ParameterInfo


class LinearProbe:
    """The backbone is frozen for ``epochs`` epochs, then trains with the head.

    Args:
        epochs: number of epochs that train the head alone.
        factor: on every learning rate after that, > 0; the paper fine-tunes with a lower rate than it probes with.
    """

    constant = False

    def __init__(self, epochs: int = 5, factor: float = 1.0) -> None:
        if epochs < 1 or factor <= 0:
            raise ValueError(f"freeze.epochs={epochs} must be 1 or more, and freeze.factor={factor} above 0")
        self.epochs, self.factor = epochs, factor

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """Factor 1 in the head and 0 in the backbone, then ``factor`` in both."""
        if epoch >= self.epochs:
            return self.factor
        return 1.0 if parameter.stage is None else 0.0
