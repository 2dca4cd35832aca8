"""Pictures of truth beside prediction: the same images for every run of a data set."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from vggexp.drawing import grid, pair, save
from vggexp.learner import Learner
from vggexp.types import Batch, Prediction, Sample


class PredictionImages(Callback):
    """Writes ``<split>.png``: ``count`` images spread evenly over the split, truth left, prediction right."""

    def __init__(self, folder: Path, count: int = 16, columns: int = 4) -> None:
        self.folder, self.count, self.columns = folder, count, columns

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The validation split, with the last weights."""
        self._write(trainer, pl_module, "val", trainer.val_dataloaders)

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The test split, with the weights that are tested."""
        self._write(trainer, pl_module, "test", trainer.test_dataloaders)

    def _write(self, trainer: pl.Trainer, learner: pl.LightningModule, split: str, loader: object) -> None:
        dataset = getattr(loader, "dataset", None)
        if dataset is None or not trainer.is_global_zero:
            return
        assert isinstance(learner, Learner)
        batch = spread(dataset, self.count)
        picture = grid(pictures(learner, batch, predict(trainer, learner, batch)), self.columns)
        self.folder.mkdir(parents=True, exist_ok=True)
        save(picture, self.folder / f"{split}.png")


def spread(dataset: Dataset[Sample], count: int) -> Batch:
    """A batch of ``count`` samples, spread evenly over a data set: many list their samples class by class.

    Of a cached one, with the images to draw on beside the features.
    """
    size = len(dataset)  # type: ignore[arg-type]
    places = torch.linspace(0, size - 1, min(count, size)).round().long().tolist()
    source = getattr(dataset, "source", dataset)
    batch: Batch = default_collate([source[place] for place in places])
    return batch if source is dataset else {**batch, **dataset.__getitems__(places)}  # type: ignore[attr-defined]


@torch.inference_mode()
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
    """One picture a sample: truth left, prediction right."""
    found = []
    for place, image in enumerate(batch["image"]):
        truth = {name: value[place] for name, value in batch.items() if name in ("label", "box", "mask")}  # type: ignore[index]
        guess = {name: value[place] for name, value in prediction.items()}
        found.append(pair(learner.task.draw(image, truth), learner.task.draw(image, guess)))
    return found
