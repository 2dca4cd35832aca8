"""Several tasks that share one backbone, such as VGG's classification and localization in one network."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from vggexp.boxes import of_label
from vggexp.errors import ConfigError, did_you_mean, require_weights
from vggexp.loss.parallel import Parallel
from vggexp.task.metric.multitask import MultitaskMetrics
from vggexp.types import Batch, DataInfo, Metrics, Outputs, Prediction, Rows, Task


class Multitask(nn.Module):
    """A set of tasks; each uses the output of the head with its name.

    If classification is one of them and there is one box per class, the predicted label chooses the box.

    Args:
        info: passed on to the parts.
        loss: holds one loss per part.
        part: how to build each part: ``part[name](info, loss)`` gives a task.
        parts: the names of the parts to build.
        weights: the factor of each part's loss.
    """

    objective = "score"

    def __init__(
        self,
        info: DataInfo,
        loss: Parallel,
        part: Mapping[str, Callable[..., nn.Module]],
        parts: Sequence[str],
        weights: Mapping[str, float],
    ):
        super().__init__()
        _check_names(parts, part, loss.part, weights)
        require_weights("task.weights", [weights[name] for name in parts])
        self.part = nn.ModuleDict({name: part[name](info, loss.part[name]) for name in parts})
        self.weights = {name: weights[name] for name in parts}
        self.classes: Mapping[str, int] = {
            name: number for task in self._tasks().values() for name, number in task.classes.items()
        }

    def loss(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """The weighted sum of the parts' losses, and each part's unweighted loss.

        No sum in evaluation if a part then has no loss, as detection: a sum of the others would be another quantity.
        """
        assert isinstance(outputs, dict)
        found = {name: task.loss(outputs[name], batch).get("loss") for name, task in self._tasks().items()}
        losses = {name: loss for name, loss in found.items() if loss is not None}
        parts = {f"loss_{name}": loss.detach() for name, loss in losses.items()}
        if len(losses) < len(found):
            return parts
        return {"loss": torch.stack([self.weights[name] * loss for name, loss in losses.items()]).sum()} | parts

    def predict(self, outputs: Outputs) -> Prediction:
        """All parts' predictions in one dict. With one box per class, ``box`` is that of the predicted label."""
        assert isinstance(outputs, dict)
        merged: Prediction = {}
        for name, task in self._tasks().items():
            merged |= task.predict(outputs[name])
        if "box_per_class" in merged and "label" in merged:
            merged["box"] = of_label(merged["box_per_class"], merged["label"])
        return merged

    def metrics(self) -> Metrics:
        """All parts' scores, and ``score``, the mean of their objectives; of label and box also the joint errors."""
        from vggexp.task.metric.localization_error import LocalizationError  # torchmetrics takes a second

        tasks = self._tasks()
        objective = {name: str(self.part[name].objective) for name in tasks}
        joint = {"localization_error": LocalizationError()} if {"classification", "localization"} <= set(tasks) else {}
        return MultitaskMetrics({name: task.metrics() for name, task in tasks.items()}, objective, joint)

    def observe(self, batch: Batch) -> None:
        """Count one batch in every part."""
        for task in self._tasks().values():
            task.observe(batch)

    def finish_observing(self) -> None:
        """Let every part check its targets and balance its loss."""
        for task in self._tasks().values():
            task.finish_observing()

    def baseline(self, batch: Batch) -> Prediction:
        """The baseline predictions of all parts in one dict."""
        merged: Prediction = {}
        for task in self._tasks().values():
            merged |= task.baseline(batch)
        return merged

    def rows(self, prediction: Prediction, batch: Batch) -> Rows:
        """All parts' rows, by part."""
        return {kind: rows for task in self._tasks().values() for kind, rows in task.rows(prediction, batch).items()}

    def diagnostics(self, rows: Rows) -> dict[str, Any]:
        """All parts' diagnostics, by part."""
        return {kind: found for task in self._tasks().values() for kind, found in task.diagnostics(rows).items()}

    def draw(self, image: Tensor, values: Mapping[str, Any]) -> Tensor:
        """Masks, then boxes over them, then the caption, which makes the picture taller than the image."""
        # A part that draws before may enlarge the image; the boxes of objects are pixels of the image as it comes.
        values = {"size": (image.shape[-2], image.shape[-1]), **values}
        for part in sorted(self.part.values(), key=lambda part: getattr(part, "layer", 0)):
            image = cast(Task, part).draw(image, values)
        return image

    def _tasks(self) -> dict[str, Task]:
        return cast(dict[str, Task], dict(self.part.items()))


def _check_names(
    parts: Sequence[str], part: Mapping[str, object], losses: nn.ModuleDict, weights: Mapping[str, float]
) -> None:
    if not parts or len(set(parts)) < len(parts):
        raise ConfigError(f"task.parts is [{', '.join(parts)}]; name at least one part, each once")
    for name in parts:
        for where, options in (("task.part", part), ("loss.part", losses), ("task.weights", weights)):
            if name not in options:
                raise ConfigError(f"task.parts names '{name}', but {where} does not{did_you_mean(name, options)}")
    for name in weights:
        if name not in part:
            raise ConfigError(f"task.weights names '{name}', which is no part{did_you_mean(name, part)}")
