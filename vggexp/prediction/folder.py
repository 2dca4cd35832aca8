"""The folder that predictions go to.

predictions.jsonl  a row a photo, written once all that it names is there
coco.json          the boxes, for COCO's tools
mask/              label images: palette PNGs, whose pixels are class numbers, VOID where the network saw nothing
overlay/           pictures of the predictions
"""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor

from vggexp.drawing import save_mask, save_picture
from vggexp.prediction.coco import coco
from vggexp.prediction.photos import Photo
from vggexp.prediction.row import describe
from vggexp.run import write_whole
from vggexp.types import DataInfo, Prediction

ROWS, COCO = "predictions.jsonl", "coco.json"

Draw = Callable[[Tensor, Prediction], Tensor]
"""A task's: uint8 (3, H, W) and one prediction to a picture."""


class PredictionFolder:
    """Takes predictions in groups; what is written before a kill stays whole.

    Args:
        path: is made. Earlier predictions in it are removed, with every file that their rows name.
        info: class names.
        draw: how a prediction is shown; None writes no pictures.
    """

    def __init__(self, path: Path, info: DataInfo, draw: Draw | None) -> None:
        self.path, self._info, self._draw = path, info, draw
        self.count = 0
        path.mkdir(parents=True, exist_ok=True)
        _clear(path)

    def __enter__(self) -> Self:
        self._rows = (self.path / ROWS).open("w", encoding="utf-8")
        self._pool = ThreadPoolExecutor(max_workers=4)  # Pillow compresses without holding Python's lock
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Also of a run that was interrupted, the boxes so far."""
        self._pool.shutdown()
        self._rows.close()
        content = coco(read_rows(self.path), self._info.classes)
        if content["annotations"]:
            write_whole(self.path / COCO, json.dumps(content) + "\n")

    def add(self, photos: Sequence[Photo], predictions: Sequence[Prediction]) -> None:
        """Write one group: masks and pictures, then its rows, which are flushed to the disk."""
        for row in self._pool.map(self._write, photos, predictions):
            self._rows.write(json.dumps(row, ensure_ascii=False) + "\n")
            self.count += 1
        self._rows.flush()

    def _write(self, photo: Photo, seen: Prediction) -> dict[str, Any]:
        prediction = photo.window.lay_back(seen, photo.size)
        height, width = photo.size
        row: dict[str, Any] = {"file": str(photo.file.path), "width": width, "height": height}
        row |= describe(prediction, self._info, photo.size)
        if "mask" in prediction:
            row["mask"] = name = f"mask/{photo.file.name}.png"
            save_mask(prediction["mask"], _made(self.path / name), len(self._info.mask_classes))
        if self._draw and photo.preview is not None:
            row["overlay"] = name = f"overlay/{photo.file.name}.jpg"
            image = torch.from_numpy(photo.preview)
            small = photo.window.lay_back(seen, (image.shape[-2], image.shape[-1]))
            save_picture(self._draw(image, small), _made(self.path / name))
        return row


def read_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """The rows of a folder of predictions, without a last one that a kill cut short."""
    with (folder / ROWS).open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield json.loads(line)


def _made(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def _clear(folder: Path) -> None:
    """Remove what earlier predictions wrote, and nothing else."""
    if not (folder / ROWS).exists():
        return
    for row in read_rows(folder):
        for name in ("mask", "overlay"):
            file = folder / row.get(name, "")
            if name in row and file.resolve().is_relative_to(folder.resolve()):
                file.unlink(missing_ok=True)
    (folder / COCO).unlink(missing_ok=True)
    (folder / ROWS).unlink()
