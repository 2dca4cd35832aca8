"""Gradual unfreezing: every few epochs the next stage, from the head towards the image, becomes trainable.

Howard & Ruder, "Universal Language Model Fine-tuning for Text Classification", arXiv 1801.06146, section 3.3. A fresh
head would send large gradients into a trained backbone, so stages become trainable one by one, nearest the head first.
"""

from vggexp.types import ParameterInfo


class Gradual:
    """Epoch 0 trains the head (and ``first`` stages); every ``every`` epochs the next stage becomes trainable.

    Args:
        every: epochs between unfreezing two stages.
        first: stages, counted from the head, that train from epoch 0 on.
    """

    constant = False

    def __init__(self, every: int = 1, first: int = 0) -> None:
        if every < 1 or not 0 <= first <= 5:
            raise ValueError(f"freeze.every={every} must be 1 or more, and freeze.first={first} from 0 to 5")
        self.every, self.first = every, first

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """Factor 1 once the parameter is trainable, 0 before."""
        if parameter.stage is None:
            return 1.0
        return 1.0 if 5 - parameter.stage < self.first + epoch // self.every else 0.0
