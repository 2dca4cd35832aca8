"""Scores the network and the task's baseline on the evaluated splits."""

from collections.abc import Callable

from torch import Tensor, nn

from vggexp.types import Batch, Metrics, Prediction, Task

SPLITS = ("val", "test")


class Scoring(nn.Module):
    """Metrics of each split for the network and for the baseline. The baseline is scored once: it never changes.

    Args:
        task: provides the metrics.
        score_baseline: whether to score the baseline.
    """

    def __init__(self, task: Task, score_baseline: bool) -> None:
        super().__init__()
        self.network, self.others = _tables(task), _tables(task)
        self.baseline: dict[str, float] = {}
        """The baseline's scores so far, by full name such as "val/top1"."""
        self._score_baseline = score_baseline

    def update(self, split: str, prediction: Prediction, batch: Batch, baseline: Callable[[Batch], Prediction]) -> None:
        """Add one batch. Calls ``baseline`` only if its scores on this split are not known yet."""
        _table(self.network, split).update(prediction, batch)
        if self._wants_baseline(split):
            _table(self.others, split).update(baseline(batch), batch)

    def close(self, split: str) -> dict[str, Tensor]:
        """Return the network's scores by full name, and reset its metrics for the next pass."""
        scores = _named(split, _table(self.network, split).compute())
        _table(self.network, split).reset()
        if self._wants_baseline(split):
            found = _named(split, _table(self.others, split).compute())
            self.baseline |= {name: float(value) for name, value in found.items()}
        return scores

    def _wants_baseline(self, split: str) -> bool:
        return self._score_baseline and not any(name.startswith(f"{split}/") for name in self.baseline)


def _tables(task: Task) -> nn.ModuleDict:
    tables = {split: task.metrics() for split in SPLITS}
    assert all(isinstance(table, nn.Module) for table in tables.values())
    return nn.ModuleDict(tables)  # type: ignore[arg-type]


def _table(tables: nn.ModuleDict, split: str) -> Metrics:
    table = tables[split]
    assert isinstance(table, Metrics)
    return table


def _named(split: str, scores: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{split}/{name}": value for name, value in scores.items()}
