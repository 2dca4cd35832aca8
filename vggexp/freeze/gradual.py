"""Gradual unfreezing: from the head down, one stage more every few epochs.

Howard & Ruder, "Universal Language Model Fine-tuning for Text Classification", arXiv 1801.06146, section 3.3. The fresh
head would send large gradients into a trained backbone; so the stages join one by one, those near the head first.
"""

from vggexp.types import ParameterInfo


class Gradual:
    """Epoch 0 trains the head; after every ``every`` epochs the next stage towards the image joins.

    Args:
        every: epochs between two stages.
        first: stages, counted from the head, that train from epoch 0 on.
    """

    constant = False

    def __init__(self, every: int = 1, first: int = 0) -> None:
        if every < 1 or not 0 <= first <= 5:
            raise ValueError(f"freeze.every={every} must be 1 or more, and freeze.first={first} from 0 to 5")
        self.every, self.first = every, first

    def __call__(self, epoch: int, parameter: ParameterInfo) -> float:
        """Factor 1 once its time has come, 0 before."""
        if parameter.stage is None:
            return 1.0
        return 1.0 if 5 - parameter.stage < self.first + epoch // self.every else 0.0
