"""``predict``: a finished run applied to images, as JSON and as pictures."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from rich.progress import track
from torch import Tensor, nn

from vggexp.boxes import to_edges
from vggexp.command.restore import Restored, restore
from vggexp.data.image import read_image
from vggexp.data.transform import Transform
from vggexp.drawing import save
from vggexp.errors import DataError
from vggexp.report.console import console
from vggexp.run import write_whole
from vggexp.types import DataInfo, Prediction

SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"}


def run(config: Mapping[str, Any]) -> int:
    """Predict every image; those that cannot be read are named at the end, and make the exit code 1."""
    files = list(image_files(Path(config["input"])))
    restored = restore(Path(config["checkpoint"]), config["override"])
    output = Path(config["output"])
    output.mkdir(parents=True, exist_ok=True)
    rows, unread = [], []
    for file, name in track(names(files), "predict", console=console(), disable=not console().is_terminal):
        try:
            rows.append(predict_file(restored, file, output / name))
        except DataError as error:
            unread.append(str(error))
    write_whole(output / "predictions.json", json.dumps(rows, indent=2) + "\n")
    print(f"{len(rows)} of {len(files)} images: {output / 'predictions.json'}, and a picture of each")
    for message in unread:
        print(f"not read: {message}")
    return 1 if unread else 0


def image_files(path: Path) -> Iterator[Path]:
    """The image itself, or all images below a folder, by name."""
    if path.is_file():
        yield path
        return
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not found:
        raise DataError(f"{path} holds no image ({', '.join(sorted(SUFFIXES))}); give an image or a folder of images")
    yield from found


def names(files: list[Path]) -> list[tuple[Path, str]]:
    """Each file with a name of its own for its picture: the stem, numbered where two are alike."""
    taken: dict[str, int] = {}
    named = []
    for file in files:
        count = taken[file.stem] = taken.get(file.stem, 0) + 1
        named.append((file, file.stem if count == 1 else f"{file.stem}-{count}"))
    return named


def predict_file(restored: Restored, file: Path, target: Path) -> dict[str, Any]:
    """One image's prediction as a JSON row; its picture and its mask are written beside ``target``."""
    image = read_image(file, upright=True)
    prediction = predict_image(restored, image)
    row: dict[str, Any] = {"file": str(file), **describe(prediction, restored.info, image)}
    picture = target.with_name(f"{target.name}.png")
    save(restored.learner.task.draw(image, prediction), picture)
    row["picture"] = picture.name
    if "mask" in prediction:
        mask = target.with_name(f"{target.name}-mask.png")
        save(prediction["mask"], mask)
        row["mask"] = mask.name
    return row


@torch.inference_mode()
def predict_image(restored: Restored, image: Tensor) -> Prediction:
    """A uint8 image (3, H, W) of any size to its prediction: boxes as shares of it, the mask at its size."""
    data = restored.config["data"]
    seen = Transform(data["eval_transform"])(image, index=0)["image"]
    if list(seen.shape[-2:]) != data["image_size"]:  # embedded data need no resizing; photos do
        seen = Transform([{"Resize": {"size": data["image_size"]}}])(seen, index=0)["image"]
    learner = restored.learner
    prediction = learner.task.predict(learner(seen[None]))
    single = {name: value[0] for name, value in prediction.items()}
    if "mask" in single:
        single["mask"] = nn.functional.interpolate(single["mask"][None, None], image.shape[-2:], mode="nearest")[0, 0]
    return single


def describe(prediction: Prediction, info: DataInfo, image: Tensor) -> dict[str, Any]:
    """The prediction in JSON's types; a box also in pixels (left, top, right, bottom), a mask as each class's share."""
    row: dict[str, Any] = {}
    if "label" in prediction:
        row["class"] = info.classes[int(prediction["label"])]
        row["probability"] = dict(zip(info.classes, _rounded(prediction["probability"]), strict=True))
    if "box" in prediction:
        height, width = image.shape[-2:]
        row["box"] = _rounded(prediction["box"])
        row["box_pixels"] = _rounded(to_edges(prediction["box"]) * torch.tensor([width, height, width, height]), 1)
    if "box_per_class" in prediction:  # without a classifier beside it, nobody knows which one is meant
        boxes = (_rounded(box) for box in prediction["box_per_class"])
        row["box_per_class"] = dict(zip(info.classes, boxes, strict=True))
    if "mask" in prediction:
        shares = prediction["mask"].flatten().bincount(minlength=len(info.mask_classes)) / prediction["mask"].numel()
        row["share"] = dict(zip(info.mask_classes, _rounded(shares), strict=True))
    return row


def _rounded(values: Tensor, digits: int = 5) -> list[float]:
    return [round(float(value), digits) for value in values]
