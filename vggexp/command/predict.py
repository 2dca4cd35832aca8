"""``predict``: apply a finished run to photos; write JSON lines, COCO boxes, masks and pictures."""

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rich.progress import Progress

from vggexp.command.restore import Restored, restore
from vggexp.config.check import needs
from vggexp.deploy.predict.folder import COCO, PART, ROWS, PredictionFolder
from vggexp.deploy.predict.photos import load
from vggexp.deploy.predict.predictor import Predictor
from vggexp.deploy.predict.view import View
from vggexp.errors import ConfigError
from vggexp.report.console import console
from vggexp.run_folder import RunFolder, plain
from vggexp.sample.image_files import ImageFile, find_images
from vggexp.sample.resize import without_size
from vggexp.task.evaluation.trace import draw as draw_trace
from vggexp.trainer.evaluation import keeps_size, make_evaluation, words


def run(config: Mapping[str, Any]) -> int:
    """Predict every photo. Photos that cannot be read are listed at the end, and the exit code is 1."""
    output = Path(str(config["output"]))  # a year would be a number
    left_out: list[str] = []
    files = find_images(config["input"], leave_out=output, unreadable=left_out)
    restored = restore(Path(config["checkpoint"]), config["override"], config["trust"])
    draw = partial(draw_trace, restored.learner.task.draw) if config["overlays"] else None
    made_by = _made_by(config)
    try:
        with PredictionFolder(
            output, restored.info, draw, made_by, config["overwrite"], *_of_objects(config, restored)
        ) as folder:
            missing = folder.missing(files)
            if folder.count:
                print(f"{folder.count} of {len(files)} images were there already")
            predict(restored, missing, folder, config)
    except KeyboardInterrupt:
        print(f"\n{output / PART} has what was done; the same command goes on from there", file=sys.stderr)
        raise
    print(f"{folder.count} of {len(files)} images: {_listed(output)}")
    for message in folder.unread:
        print(f"not read: {message}")
    for message in left_out:
        print(f"left out: {message}")
    return 1 if folder.unread else 0


def _made_by(config: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the predictions depend on, so that one file never holds rows of two checkpoints or settings."""
    path = Path(config["checkpoint"])
    file = (RunFolder(path).best if path.is_dir() else path).absolute()
    state = file.stat()
    return {
        "checkpoint": str(file),
        "bytes of the checkpoint": state.st_size,
        "time of the checkpoint": state.st_mtime_ns,
        "override": plain(config["override"]),
        "overlays": config["overlays"],
        **{key: config[key] for key in ("threshold", "object_masks") if config.get(key)},
        "evaluation": words(config["choice"], config["evaluation"]),
    }


def _of_objects(config: Mapping[str, Any], restored: Restored) -> tuple[float | None, bool]:
    """``threshold`` and ``object_masks``; ConfigError if the run finds no objects, or none with masks."""
    threshold, masks = config["threshold"], config["object_masks"]
    wanted = needs(restored.config)
    if threshold is not None and not 0 <= threshold <= 1:
        raise ConfigError(f"threshold={threshold} must be 0 to 1, the least score of an object")
    if threshold is not None and "objects" not in wanted:
        raise ConfigError(f"threshold={threshold} is for detectors; this run does {restored.config['choice']['task']}")
    if masks and "object_masks" not in wanted:
        raise ConfigError("object_masks=true: this run finds no masks of objects; task=instance_segmentation does")
    return threshold, bool(masks)


def predict(restored: Restored, files: list[ImageFile], folder: PredictionFolder, config: Mapping[str, Any]) -> None:
    """Add the predictions of these files to the folder, and the reasons why some could not be read."""
    predictor, view = ready(restored)
    size = config["batch_size"] or restored.config["data"]["batch_size"]
    if chosen := config.get("evaluation"):
        restored.learner.evaluation = make_evaluation(chosen, restored.config, restored.learner, size)
    if chosen and keeps_size(chosen):  # then the batch is of tiles or crops
        view, size = View(without_size(restored.config["data"]["eval_transform"]), None), 1
    groups = load(files, view, size, config["workers"], config["overlays"])
    # It draws when told to, from no thread of its own: the processes that read photos are forked.
    with Progress(console=console(), auto_refresh=False, disable=not console().is_terminal) as bar:
        row = bar.add_task("predict", total=len(files))
        for group in groups:
            if group.photos:
                folder.add(group.photos, predictor(group.seen))
            folder.unread += group.unread
            bar.update(row, advance=len(group.photos) + len(group.unread), refresh=True)


def ready(restored: Restored) -> tuple[Predictor, View]:
    """The predictor and the view of a photo that the run's config describes."""
    trainer = restored.config["trainer"]
    return Predictor(restored.learner, trainer["gpus"], trainer["precision"]), view_of(restored)


def view_of(restored: Restored) -> View:
    """The view of a photo that the run's config describes."""
    data = restored.config["data"]
    height, width = data["image_size"]
    smaller = bool(data.get("decode_scale")) and "mask" not in needs(restored.config)  # as the run's evaluation decodes
    return View(data["eval_transform"], (height, width), smaller)


def _listed(output: Path) -> str:
    """The files and folders that exist now, for the last line."""
    found = [output / ROWS, *(path for name in (COCO, "mask", "object", "overlay") if (path := output / name).exists())]
    return ", ".join(map(str, found))
