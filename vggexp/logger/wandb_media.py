"""Images, tables and charts for W&B, made from the diagnostics in a run's ``prediction`` folder.

Truth and prediction are W&B boxes and masks over the images, so that its viewer can toggle them.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
import wandb
from PIL import Image
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import Logger
from torch import Tensor

from vggexp.boxes import to_edges
from vggexp.logger import wandb_chart as chart
from vggexp.logger.wandb_objects import object_boxes, object_masks
from vggexp.run_folder import RunFolder
from vggexp.types import VOID

Found = Mapping[str, Any]
"""The content of ``val.json`` or ``test.json``."""


class WandbMedia(Callback):
    """Logs the fixed validation images during training, and everything else after the test.

    Args:
        logger: Lightning's; ``experiment`` is the W&B run.
        folder: the run folder.
        every: epochs between logging images; the last epoch is always logged.
    """

    def __init__(self, logger: Logger, folder: RunFolder, every: int) -> None:
        self._logger, self._folder, self._every = logger, folder, every
        self._last_shown: int | None = None

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log the fixed images of the validation split, which are the same in all runs on a data set."""
        if trainer.is_global_zero and not trainer.sanity_checking and trainer.current_epoch % self._every == 0:
            self._show_validation(trainer)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log the freeze ledger, and the images if they have changed since the last time."""
        if not trainer.is_global_zero:
            return
        self._show_validation(trainer)
        if self._folder.freeze.exists():
            self._log(trainer, {"table/freeze": freeze_table(self._folder.freeze)})

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log the test split: fixed, worst and best images; predictions, scores by class, confusions, curves."""
        if not trainer.is_global_zero:
            return
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        shown = chart.by_class(metrics)
        if found := self._read("test"):
            for kind, diagnostics in found["diagnostics"].items():
                shown |= chart.of_diagnostics(kind, diagnostics)
            shown |= {f"image/{name}": self._pictures(found, images) for name, images in picked(found).items()}
            shown["table/prediction"] = predictions(found, self._pictures(found, found["images"]))
        if shown:
            self._log(trainer, shown)

    def _show_validation(self, trainer: pl.Trainer) -> None:
        found = self._read("val")
        if found and found["epoch"] != self._last_shown:
            self._last_shown = found["epoch"]
            self._log(trainer, {"image/val": self._pictures(found, found["images"]), "epoch": found["epoch"]})

    def _read(self, split: str) -> Found:
        path = self._folder.predictions / f"{split}.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}

    def _pictures(self, found: Found, images: Sequence[Mapping[str, Any]]) -> list[wandb.Image]:
        """New objects at each call, because W&B binds an image to the first key under which it is logged."""
        folder = self._folder.predictions / found["split"]
        return [picture(image, folder, found) for image in images]

    def _log(self, trainer: pl.Trainer, content: Mapping[str, Any]) -> None:
        run: Any = getattr(self._logger, "experiment")  # noqa: B009 - Lightning's Logger does not declare it
        run.log({**content, "trainer/global_step": trainer.global_step})


def picked(found: Found) -> dict[str, list[Mapping[str, Any]]]:
    """The fixed images as ``test``; also ``worst`` and ``best``, the most extreme first.

    >>> images = [{"index": k, "fixed": k == 2, "score": s} for k, s in enumerate((0.9, 0.1, 0.5))]
    >>> {name: [image["index"] for image in some] for name, some in picked({"images": images, "extremes": 1}).items()}
    {'test': [2], 'worst': [1], 'best': [0]}
    """
    images, count = found["images"], found["extremes"]
    ranked = sorted((image for image in images if image["score"] is not None), key=lambda image: image["score"])
    sets = {"test": [image for image in images if image["fixed"]], "worst": ranked[:count]}
    sets["best"] = ranked[::-1][:count]
    return {name: some for name, some in sets.items() if some}


def picture(image: Mapping[str, Any], folder: Path, names: Found) -> wandb.Image:
    """One image of the diagnostics as a W&B image with its boxes and masks."""
    kinds = [kind for kind in ("truth", "prediction") if image[kind]]
    boxes = {kind: _box(image, kind, names["classes"]) for kind in kinds if None not in image[kind].get("box", [None])}
    boxes |= {kind: object_boxes(image, kind, names["classes"]) for kind in kinds if image[kind].get("objects")}
    labels = dict(enumerate(names["mask_classes"])) | {VOID: "void"}
    masks = {
        kind: {"mask_data": _pixels(folder / image[kind]["mask"]), "class_labels": labels}
        for kind in kinds
        if "mask" in image[kind]
    }
    masks |= {
        f"{kind} objects": object_masks(image[kind], _pixels(folder / image[kind]["object_mask"]), names["classes"])
        for kind in kinds
        if "object_mask" in image[kind]
    }
    with Image.open(folder / image["image"]) as file:
        pixels = file.convert("RGB")
    return wandb.Image(pixels, caption=_caption(image, names["classes"]), boxes=boxes or None, masks=masks or None)


def _box(image: Mapping[str, Any], kind: str, classes: Sequence[str]) -> dict[str, Any]:
    edges: Tensor = to_edges(torch.tensor(image[kind]["box"])).clamp(0, 1)
    label = image[kind].get("label", 0)
    labels = dict(enumerate(classes)) if "label" in image[kind] else {0: "object"}
    box = {
        "position": dict(zip(("minX", "minY", "maxX", "maxY"), edges.tolist(), strict=True)),
        "class_id": label,
        "box_caption": f"{kind}: {labels[label]}",
    }
    return {"box_data": [box], "class_labels": labels}


def _pixels(path: Path) -> np.ndarray[Any, Any]:
    with Image.open(path) as file:
        return np.asarray(file)


def _caption(image: Mapping[str, Any], classes: Sequence[str]) -> str:
    labels = [f"{kind} {classes[image[kind]['label']]}" for kind in ("truth", "prediction") if "label" in image[kind]]
    several = {kind: image[kind]["labels"] for kind in ("truth", "prediction") if "labels" in image[kind]}
    labels += [f"{kind} {_names(shown, classes)}" for kind, shown in several.items()]
    score = [] if image["score"] is None else [f"score {image['score']:.3f}"]
    return ", ".join([str(image["index"]), *labels, *score])


def predictions(found: Found, pictures: Sequence[wandb.Image]) -> wandb.Table:
    """One row per image, the worst first: its index in the split, its picture, its score, and each task's columns.

    All images, with pictures of the kept ones; in a split too large for a full list, only the kept images.
    """
    kept = dict(zip((image["index"] for image in found["images"]), pictures, strict=True))
    if "index" not in found:
        rows = [[image["index"], kept[image["index"]], image["score"]] for image in found["images"]]
        return wandb.Table(columns=["index", "image", "score"], data=rows)
    columns, scores = dict(_columns(found["diagnostics"])), found["score"]
    order = sorted(range(len(scores)), key=lambda place: (scores[place] is None, scores[place] or 0.0))
    data = [
        [found["index"][k], kept.get(found["index"][k]), scores[k], *(values[k] for values in columns.values())]
        for k in order
    ]
    return wandb.Table(columns=["index", "image", "score", *columns], data=data)


def _columns(diagnostics: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Each task's columns; labels by name, boxes as text: (x, y, h, w)."""
    for kind, found in diagnostics.items():
        classes = found.get("classes", ())
        for name, values in found.get("each", {}).items():
            if name in ("label", "predicted"):
                values = [classes[value] for value in values]
            elif name in ("truth_labels", "predicted_labels"):
                values = [_names(value, classes) for value in values]
            elif values and isinstance(values[0], list):
                values = [str(tuple(value)) for value in values]
            yield (f"{kind}/{name}" if len(diagnostics) > 1 else name), values


def _names(labels: Sequence[int], classes: Sequence[str]) -> str:
    return " and ".join(classes[label] for label in labels) or "no class"


def freeze_table(path: Path) -> wandb.Table:
    """``freeze.csv`` as a table: trainable parameters and learning rate of each part in each epoch."""
    with path.open(encoding="utf-8") as file:
        columns, *rows = list(csv.reader(file))
    whole = {"epoch", "parameters", "trainable"}
    kinds = [int if name in whole else float if name == "learning_rate" else str for name in columns]
    data = [[kind(value) for kind, value in zip(kinds, row, strict=True)] for row in rows]
    return wandb.Table(columns=[*columns], data=data)
