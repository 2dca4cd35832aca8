"""Scores for one label per image: top-1, top-5 and F1."""

from collections.abc import Sequence

from torch import Tensor, nn
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score

from vggexp.types import Batch, Prediction


class ClassificationMetrics(nn.Module):
    """``top1``; ``top5`` if there are more than five classes; ``f1``, the mean of each ``f1/<class>``.

    A class that occurs neither in truth nor in prediction has F1 NaN, and the mean ignores it.

    Args:
        classes: the class names, by label.
    """

    def __init__(self, classes: Sequence[str]):
        super().__init__()
        self.names = tuple(classes)
        size = len(self.names)
        self.top1 = MulticlassAccuracy(size, average="micro")
        self.top5 = MulticlassAccuracy(size, top_k=5, average="micro") if size > 5 else None
        # torchmetrics' macro average becomes NaN with zero_division=nan, and its validation accepts only 0 and 1.
        self.f1 = MulticlassF1Score(size, average="none", zero_division=float("nan"), validate_args=False)

    def update(self, prediction: Prediction, batch: Batch) -> None:
        """Add a batch: ``label`` (N,) and ``probability`` (N, C)."""
        self.top1.update(prediction["label"], batch["label"])
        self.f1.update(prediction["label"], batch["label"])
        if self.top5 is not None:
            self.top5.update(prediction["probability"], batch["label"])

    def compute(self) -> dict[str, Tensor]:
        """Scores, 0 to 1."""
        f1 = self.f1.compute()
        scores = {"top1": self.top1.compute(), "f1": f1.nanmean()}
        if self.top5 is not None:
            scores["top5"] = self.top5.compute()
        return scores | {f"f1/{name}": score for name, score in zip(self.names, f1, strict=True)}

    def reset(self) -> None:
        """Reset for another pass."""
        for metric in (self.top1, self.top5, self.f1):
            if metric is not None:
                metric.reset()
