"""``predict``: a finished run applied to photos, as JSON, COCO boxes, masks and pictures."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.progress import Progress

from vggexp.command.restore import Restored, restore
from vggexp.deploy.predict.folder import COCO, PART, ROWS, PredictionFolder
from vggexp.deploy.predict.photos import load
from vggexp.deploy.predict.predictor import Predictor
from vggexp.deploy.predict.view import View
from vggexp.report.console import console
from vggexp.run_folder import RunFolder, plain
from vggexp.sample.image_files import ImageFile, find_images


def run(config: Mapping[str, Any]) -> int:
    """Predict every photo; those that cannot be read are named at the end, and make the exit code 1."""
    output = Path(str(config["output"]))  # a year would be a number
    files = find_images(config["input"], leave_out=output)
    restored = restore(Path(config["checkpoint"]), config["override"])
    draw = restored.learner.task.draw if config["overlays"] else None
    made_by = _made_by(config)
    try:
        with PredictionFolder(output, restored.info, draw, made_by, config["overwrite"]) as folder:
            missing = folder.missing(files)
            if folder.count:
                print(f"{folder.count} of {len(files)} images were there already")
            unread = predict(restored, missing, folder, config)
    except KeyboardInterrupt:
        print(f"\n{output / PART} has what was done; the same command goes on from there", file=sys.stderr)
        raise
    print(f"{folder.count} of {len(files)} images: {_listed(output)}")
    for message in unread:
        print(f"not read: {message}")
    return 1 if unread else 0


def _made_by(config: Mapping[str, Any]) -> dict[str, Any]:
    """What decides the predictions: rows of two networks, or of one before and after more training, never mix."""
    path = Path(config["checkpoint"])
    file = (RunFolder(path).best if path.is_dir() else path).absolute()
    state = file.stat()
    return {
        "checkpoint": str(file),
        "bytes of the checkpoint": state.st_size,
        "time of the checkpoint": state.st_mtime_ns,
        "override": plain(config["override"]),
        "overlays": config["overlays"],
    }


def predict(
    restored: Restored, files: list[ImageFile], folder: PredictionFolder, config: Mapping[str, Any]
) -> list[str]:
    """Fill the folder; why some photos are missing in it, a line each."""
    predictor, view = ready(restored)
    size = config["batch_size"] or restored.config["data"]["batch_size"]
    groups = load(files, view, size, config["workers"], config["overlays"])
    unread: list[str] = []
    # It draws when told to, from no thread of its own: the processes that read photos are forked.
    with Progress(console=console(), auto_refresh=False, disable=not console().is_terminal) as bar:
        row = bar.add_task("predict", total=len(files))
        for group in groups:
            if group.photos:
                folder.add(group.photos, predictor(group.seen))
            unread += group.unread
            bar.update(row, advance=len(group.photos) + len(group.unread), refresh=True)
    return unread


def ready(restored: Restored) -> tuple[Predictor, View]:
    """What predicts, and what makes a photo fit for it, as the run's config says."""
    data, trainer = restored.config["data"], restored.config["trainer"]
    height, width = data["image_size"]
    view = View(data.get("eval_transform", []), (height, width))
    return Predictor(restored.learner, trainer["gpus"], trainer["precision"]), view


def _listed(output: Path) -> str:
    """What there is now, for the last line."""
    found = [output / ROWS, *(path for name in (COCO, "mask", "overlay") if (path := output / name).exists())]
    return ", ".join(map(str, found))
