"""The output folder of predictions.

predictions.jsonl  one row per photo, in order; photos that an earlier command could not read come last
coco.json          the boxes and the objects' masks, for COCO's tools
object/            with object_masks=true: one black and white PNG of each object, in a folder of its photo
mask/              label images: palette PNGs whose pixels are labels; VOID outside the network's image
overlay/           pictures of the predictions
made_by.json       the checkpoint and settings of the predictions, and the photos that could not be read

Until the command ends, the rows are in predictions.part.jsonl; each is written after the files that it names.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor

from vggexp.deploy.predict.coco import coco
from vggexp.deploy.predict.objects import above, describe_objects, save_object
from vggexp.deploy.predict.photos import Photo
from vggexp.deploy.predict.row import describe
from vggexp.distributed.lock import lock
from vggexp.distributed.processes import num_cores
from vggexp.errors import ConfigError
from vggexp.run_folder import write_whole
from vggexp.sample.image_files import ImageFile
from vggexp.task.drawing import save_mask, save_picture
from vggexp.types import DataInfo, Prediction

ROWS, PART, COCO, MADE_BY = "predictions.jsonl", "predictions.part.jsonl", "coco.json", "made_by.json"

Draw = Callable[[Tensor, Prediction], Tensor]
"""A task's ``draw``: uint8 (3, H, W) and one prediction to a picture."""


class PredictionFolder:
    """Writes predictions in groups; after a kill, the same command resumes from the rows that were written.

    Args:
        path: the folder; created if missing.
        info: class names.
        draw: draws a prediction; None writes no pictures.
        made_by: checkpoint and settings of the predictions, in JSON types; must equal those of earlier rows.
        overwrite: remove earlier predictions and the files that their rows name, and nothing else.
        threshold: least score of an object; None keeps all.
        object_masks: write the mask of each object.

    Raises:
        ConfigError: the folder holds rows of another checkpoint or other settings, or another process writes to it.
    """

    def __init__(
        self,
        path: Path,
        info: DataInfo,
        draw: Draw | None,
        made_by: Mapping[str, Any],
        overwrite: bool = False,
        threshold: float | None = None,
        object_masks: bool = False,
    ) -> None:
        self._threshold, self._object_masks = threshold, object_masks
        self.path, self._info, self._draw, self._made_by = path, info, draw, dict(made_by)
        self.unread: list[str] = []
        """One line for each photo without a row; the same command adds these photos once they are readable."""
        path.mkdir(parents=True, exist_ok=True)
        # backslashreplace: a file name that is not valid Unicode must not end the command.
        self._rows = (path / PART).open("a+", encoding="utf-8", errors="backslashreplace")
        try:
            self._begin(overwrite)
        except BaseException:
            self._rows.close()
            raise
        self.count = len(self._done)
        """Number of photos with a row."""

    def _begin(self, overwrite: bool) -> None:
        if lock(self._rows.fileno()) is False:
            raise ConfigError(f"another process is writing predictions to {self.path}; give another output=FOLDER")
        if overwrite:
            _clear(self.path)
        self._rows.truncate(_whole_length(self.path / PART))
        if not _whole_length(self.path / PART) and (self.path / ROWS).exists():  # finished, except for unread photos
            self._rows.write((self.path / ROWS).read_text(encoding="utf-8"))
            self._rows.flush()
        self._done = {str(row["file"]): row for row in read_rows(self.path, PART)}
        if self._done and (other := _differing(self.path / MADE_BY, self._made_by)):
            raise ConfigError(
                f"{self.path} holds predictions made with another {other}; "
                "name another output=FOLDER, or say overwrite=true"
            )
        self._write_made_by()

    def __enter__(self) -> Self:
        # Threads, because Pillow releases the GIL while compressing; torch's threads are for the network.
        self._pool = ThreadPoolExecutor(min(4, num_cores()), initializer=torch.set_num_threads, initargs=(1,))
        self._pending: list[Future[dict[str, Any]]] = []
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the files. After an interruption, write the boxes so far."""
        try:
            # Write the predictions that the network has made; report the first error, not one from here.
            with suppress(*([Exception] if error else [])):
                self._finish()
        finally:
            self._pool.shutdown(cancel_futures=True)
            self._rows.close()
        content = coco(read_rows(self.path, PART), self._info.classes)
        if content["annotations"]:
            write_whole(self.path / COCO, json.dumps(content) + "\n")
        if error is None:
            self._write_made_by()
            (self.path / PART).rename(self.path / ROWS)

    def _write_made_by(self) -> None:
        content = {**self._made_by, "unread": self.unread}
        write_whole(self.path / MADE_BY, json.dumps(content, indent=2) + "\n")

    def missing(self, files: Sequence[ImageFile]) -> list[ImageFile]:
        """The files that have no row yet.

        Raises:
            ConfigError: there are rows of other files, or a file's mask would now have another name.
        """
        names = {str(file.path): file.name for file in files}
        for path, row in self._done.items():
            written = {Path(row[kind]).with_suffix("").relative_to(kind).as_posix() for kind in _KINDS if kind in row}
            if path not in names or written - {names[path]}:
                raise ConfigError(
                    f"{self.path} holds predictions of other photos, such as {path}; "
                    "name another output=FOLDER, or say overwrite=true"
                )
        return [file for file in files if str(file.path) not in self._done]

    def add(self, photos: Sequence[Photo], predictions: Sequence[Prediction]) -> None:
        """Start writing a group's masks and pictures in the background, and write the rows of the previous group."""
        begun = [self._pool.submit(self._write, *both) for both in zip(photos, predictions, strict=True)]
        self._finish()
        self._pending = begun

    def _finish(self) -> None:
        """Write the rows of the pending group, and flush them."""
        begun, self._pending = self._pending, []
        for row in (future.result() for future in begun):
            self._rows.write(json.dumps(row, ensure_ascii=False) + "\n")
            self.count += 1
        self._rows.flush()

    def _write(self, photo: Photo, seen: Prediction) -> dict[str, Any]:
        seen = above(seen, self._threshold)
        objects = seen.get("objects")  # they are laid back one by one
        others = {name: value for name, value in seen.items() if name != "objects"}
        prediction = photo.window.lay_back(others, photo.size)
        height, width = photo.size
        row: dict[str, Any] = {"file": str(photo.file.path), "width": width, "height": height}
        row |= describe(prediction, self._info, photo.size)
        if objects is not None:
            row["objects"] = describe_objects(objects, photo.window, photo.size, self._info, self._writer(photo))
        if "mask" in prediction:
            row["mask"] = name = f"mask/{photo.file.name}.png"
            save_mask(prediction["mask"], _made(self.path / name), len(self._info.mask_classes))
        if self._draw and photo.preview is not None:
            row["overlay"] = name = f"overlay/{photo.file.name}.jpg"
            image = torch.from_numpy(photo.preview)
            small = photo.window.lay_back(seen, (image.shape[-2], image.shape[-1]))
            save_picture(self._draw(image, small), _made(self.path / name))
        return row

    def _writer(self, photo: Photo) -> Callable[[int, Tensor], str] | None:
        """Writes an object's mask and returns its name; None: no masks are asked for."""

        def write(number: int, mask: Tensor) -> str:
            name = f"object/{photo.file.name}/{number:03d}.png"
            save_object(mask, _made(self.path / name))
            return name

        return write if self._object_masks else None


_KINDS = ("mask", "overlay")


def read_rows(folder: Path, name: str = ROWS) -> Iterator[dict[str, Any]]:
    """The rows of a folder of predictions, without an incomplete last one."""
    with (folder / name).open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield json.loads(line)


def _whole_length(path: Path) -> int:
    """Number of bytes up to the end of the last complete line."""
    return path.read_bytes().rfind(b"\n") + 1


def _differing(path: Path, made_by: Mapping[str, Any]) -> str:
    """The first key whose value differs from the recorded one; "" if all are equal."""
    try:
        recorded = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return MADE_BY
    return next((key for key, value in made_by.items() if recorded.get(key) != value), "")


def _made(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def _clear(folder: Path) -> None:
    """Remove the files of earlier predictions, and nothing else."""
    for rows in (folder / ROWS, folder / PART):
        for row in read_rows(folder, rows.name) if rows.exists() else ():
            named = [row[kind] for kind in _KINDS if kind in row]
            for name in [*named, *(one["mask"] for one in row.get("objects", ()) if "mask" in one)]:
                if (folder / name).resolve().is_relative_to(folder.resolve()):
                    (folder / name).unlink(missing_ok=True)
    for name in (ROWS, COCO, MADE_BY):
        (folder / name).unlink(missing_ok=True)
    with (folder / PART).open("w"):
        pass  # emptied, not removed: this file holds the lock
