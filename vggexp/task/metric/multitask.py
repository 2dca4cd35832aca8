"""The scores of several tasks in one pass, the mean of their objectives, and what they get right together."""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from vggexp.types import Batch, Metrics, Prediction


class MultitaskMetrics(nn.Module):
    """Every part's scores under their own names, and ``score``, the mean of the parts' objectives.

    Args:
        part: each part's metrics, by name.
        objective: for each part, the name of its objective: a score from 0 to 1, higher is better.
        joint: scores of several parts together, by a name of no part.
    """

    def __init__(
        self, part: Mapping[str, Metrics], objective: Mapping[str, str], joint: Mapping[str, Metrics] | None = None
    ):
        super().__init__()
        part = {**part, **(joint or {})}
        self.part = nn.ModuleDict(cast(Mapping[str, nn.Module], part))
        self.objective = dict(objective)

    def update(self, prediction: Prediction, batch: Batch) -> None:
        """Add a batch to every part."""
        for metrics in self._metrics().values():
            metrics.update(prediction, batch)

    def compute(self) -> dict[str, Tensor]:
        """The union of the parts' scores, and ``score``."""
        scores = {name: metrics.compute() for name, metrics in self._metrics().items()}
        merged = {key: value for part in scores.values() for key, value in part.items()}
        assert len(merged) == sum(map(len, scores.values())), "two parts use one name for a score"
        objectives = [scores[name][objective] for name, objective in self.objective.items()]
        return merged | {"score": torch.stack(objectives).mean()}

    def reset(self) -> None:
        """Reset for another pass."""
        for metrics in self._metrics().values():
            metrics.reset()

    def _metrics(self) -> dict[str, Metrics]:
        return cast(dict[str, Metrics], dict(self.part.items()))
