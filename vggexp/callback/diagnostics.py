"""Writes diagnostics into the run folder as plain files, for the HTML report and for other callbacks.

Each validation writes ``prediction/val.json`` with the fixed images. The test writes ``prediction/test.json`` with
every image's score and the data of tables and figures. Images and masks are in ``prediction/<split>/``.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from torch.utils.data import Dataset

from vggexp.callback.prediction_images import images_of, places
from vggexp.distributed.gather import gathered
from vggexp.learner.learner import Learner
from vggexp.run_folder import plain, write_whole
from vggexp.task.diagnostics.examples import Example, choose_examples, example_of, write_layers, write_picture
from vggexp.task.diagnostics.object_layers import Size
from vggexp.task.diagnostics.per_image import Part, joined, listed, scores
from vggexp.types import Batch, Prediction, Rows, Sample

_PIXELS = ("image", "feature")


class Diagnostics(Callback):
    """Collects predictions during evaluation: it needs no second pass, and its numbers agree with the metrics.

    Args:
        folder: the run's ``prediction`` folder, for the files.
        count: number of fixed images, spread evenly over the split.
        extremes: number of worst, and of best, images of the test split by score.
        side: maximum length of the longer side of the written images, pixels.
    """

    def __init__(self, folder: Path, count: int = 16, extremes: int = 8, side: int = 224) -> None:
        self.folder, self.count, self.extremes, self.side = folder, count, extremes, side
        self._dataset: Dataset[Sample] | None = None
        self._fixed: list[int] = []
        self._shown: dict[int, Example] = {}
        self._parts: list[Part] = []
        self._kinds: list[str] = []
        self._sizes: dict[Path, tuple[Size, Size]] = {}  # (width, height) of the picture, (H, W) of the image

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Select the fixed images."""
        self._begin(trainer.val_dataloaders)

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Select the fixed images."""
        self._begin(trainer.test_dataloaders)

    def on_validation_batch_end(  # type: ignore[override]
        self, trainer: pl.Trainer, pl_module: Learner, outputs: Prediction, batch: Batch, *places: int
    ) -> None:
        """Keep the predictions of the fixed images."""
        fixed = [place for place, index in enumerate(batch["index"].tolist()) if index in self._fixed]
        if fixed:
            seen: Batch = _at(fixed, {name: value for name, value in batch.items() if name not in _PIXELS})  # type: ignore[assignment]
            some = _at(fixed, outputs)
            self._keep(pl_module.task.rows(some, seen), some, seen, extremes=0)

    def on_test_batch_end(  # type: ignore[override]
        self, trainer: pl.Trainer, pl_module: Learner, outputs: Prediction, batch: Batch, *places: int
    ) -> None:
        """Keep each image's rows, and the predictions of the fixed images and of the extremes so far."""
        rows = pl_module.task.rows(outputs, batch)
        self._parts.append((batch["index"], rows))
        self._keep(rows, outputs, batch, self.extremes)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write ``val.json``."""
        images = self._gathered_images(extremes=0)
        if trainer.is_global_zero and images:
            assert isinstance(pl_module, Learner)
            self._write("val", images, {"epoch": trainer.current_epoch, **pl_module.info})

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write ``test.json``."""
        assert isinstance(pl_module, Learner)
        images = self._gathered_images(self.extremes)
        parts = [part for parts in gathered([joined(self._parts)] if self._parts else []) for part in parts]
        self._parts = []
        if trainer.is_global_zero and parts:
            index, rows = joined(parts)
            found = listed(index, rows, pl_module.task.diagnostics(rows))
            self._write("test", images, {**pl_module.info, "extremes": self.extremes, **found})

    def _begin(self, loader: object) -> None:
        self._dataset, self._shown, self._parts = images_of(loader), {}, []
        self._fixed = [] if self._dataset is None else places(self._dataset, self.count)

    def _keep(self, rows: Rows, prediction: Prediction, batch: Batch, extremes: int) -> None:
        self._kinds = list(rows)
        found = dict(zip(batch["index"].tolist(), scores(rows).tolist(), strict=True))
        known = {index: image.score for index, image in self._shown.items()} | found
        keep = choose_examples(known, self._fixed, extremes)
        for place, (index, score) in enumerate(found.items()):
            if index in keep:
                self._shown[index] = example_of(index, score, prediction, batch, place)
        self._shown = {index: image for index, image in self._shown.items() if index in keep}

    def _gathered_images(self, extremes: int) -> list[Example]:
        """The images of all ranks, in the order of the split."""
        images = {index: image for part in gathered(self._shown) for index, image in part.items()}
        keep = choose_examples({index: image.score for index, image in images.items()}, self._fixed, extremes)
        return [images[index] for index in sorted(keep)]

    def _write(self, split: str, images: list[Example], more: Mapping[str, Any]) -> None:
        assert self._dataset is not None
        folder = self.folder / split
        folder.mkdir(parents=True, exist_ok=True)
        records = []
        for image in images:
            path = folder / f"{image.index}.webp"
            is_new = path not in self._sizes  # images and targets are written once per run, predictions each time
            if is_new:
                pixels = self._dataset[image.index]["image"]
                self._sizes[path] = write_picture(pixels, path, self.side), (pixels.shape[-2], pixels.shape[-1])
            size, shape = self._sizes[path]
            layers = write_layers(image, size, folder, shape, with_truth=is_new)
            records.append({"fixed": image.index in self._fixed, "image": path.name, **layers})
        content = {"split": split, "kinds": self._kinds, **more, "images": records}
        write_whole(self.folder / f"{split}.json", json.dumps(plain(content), separators=(",", ":")) + "\n")


def _at(places: list[int], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of these images of a batch."""
    return {name: value[places] for name, value in values.items()}
