"""Writes pictures of target and prediction side by side, for the same images in every run on a data set."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor
from torch.utils.data import Dataset

from vggexp.distributed.fsdp import gather, scatter
from vggexp.learner.learner import Learner
from vggexp.sample.loader import collate
from vggexp.task.drawing import grid, pair, save
from vggexp.types import TARGETS, Batch, DrawsBoth, Prediction, Sample


class PredictionImages(Callback):
    """Writes ``<split>.png``: ``count`` images spread evenly over the split, target left, prediction right."""

    def __init__(self, folder: Path, count: int = 16, columns: int = 4) -> None:
        self.folder, self.count, self.columns = folder, count, columns

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the validation split's pictures, with the last weights."""
        self._write(trainer, pl_module, "val", trainer.val_dataloaders)

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the test split's pictures, with the weights that were tested."""
        self._write(trainer, pl_module, "test", trainer.test_dataloaders)

    def _write(self, trainer: pl.Trainer, learner: pl.LightningModule, split: str, loader: object) -> None:
        if (dataset := getattr(loader, "dataset", None)) is None:
            return
        assert isinstance(learner, Learner)
        batch = spread(dataset, self.count)
        gather(learner.backbone, learner.head)  # every rank takes part: parameters may be sharded
        prediction = predict(trainer, learner, batch)
        scatter(learner.backbone, learner.head)
        if not trainer.is_global_zero:
            return
        picture = grid(pictures(learner, batch, prediction), self.columns)
        self.folder.mkdir(parents=True, exist_ok=True)
        save(picture, self.folder / f"{split}.png")


def images_of(loader: object) -> Dataset[Sample] | None:
    """The data set whose samples have images to draw on; None if there is no loader."""
    dataset: Dataset[Sample] | None = getattr(loader, "dataset", None)
    return None if dataset is None else _with_images(dataset)


def _with_images(dataset: Any) -> Dataset[Sample]:
    """The source of a split of cached features; any other split unchanged."""
    return dataset.source if getattr(dataset, "is_batched", False) else dataset  # type: ignore[no-any-return]


def places(dataset: Dataset[Sample], count: int) -> list[int]:
    """``count`` indices spread evenly over a data set, because many data sets are sorted by class."""
    size = len(dataset)  # type: ignore[arg-type]
    found: list[int] = torch.linspace(0, size - 1, min(count, size)).round().long().tolist()
    return found


def spread(dataset: Dataset[Sample], count: int) -> Batch:
    """A batch of ``count`` samples spread evenly over a data set; with images and features if features are cached."""
    found = places(dataset, count)
    source = _with_images(dataset)
    batch: Batch = collate([source[place] for place in found])
    return batch if source is dataset else {**batch, **dataset.__getitems__(found)}  # type: ignore[attr-defined]


@torch.no_grad()
def predict(trainer: pl.Trainer, learner: Learner, batch: Batch) -> Prediction:
    """The learner's predictions for a batch, on the CPU, in the precision of its training."""
    training = learner.training
    learner.eval()
    moved: Any = {name: value.to(learner.device) for name, value in batch.items()}  # type: ignore[attr-defined]
    with trainer.precision_plugin.forward_context():
        prediction = learner.task.predict(learner.outputs(moved))
    learner.train(training)
    return {name: value.cpu() for name, value in prediction.items()}


def pictures(learner: Learner, batch: Batch, prediction: Prediction) -> list[Tensor]:
    """One picture per sample: target left, prediction right."""
    found = []
    for place, image in enumerate(batch["image"]):
        truth = {name: value[place] for name, value in batch.items() if name in TARGETS}  # type: ignore[index]
        guess = {name: value[place] for name, value in prediction.items()}
        task = learner.task
        both = task.draw_both(image, truth, guess) if isinstance(task, DrawsBoth) else None
        found.append(pair(*(both or (task.draw(image, truth), task.draw(image, guess)))))
    return found
