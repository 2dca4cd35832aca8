"""Example images: which ones to keep, and how to store them so that a viewer can overlay truth and prediction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor
from torchvision.transforms.v2.functional import to_pil_image

from vggexp.boxes import of_label
from vggexp.sample.mask_grid import stretch
from vggexp.task.diagnostics.object_layers import Size, write_objects
from vggexp.task.diagnostics.rounding import rounded
from vggexp.task.drawing import palette_image
from vggexp.types import TARGETS, Batch, Prediction


@dataclass(frozen=True)
class Example:
    """One scored image without its pixels."""

    index: int
    """Its place in the split."""
    score: float
    truth: Mapping[str, Any]
    prediction: Mapping[str, Any]


def choose_examples(scores: Mapping[int, float], fixed: Sequence[int], extremes: int) -> set[int]:
    """The fixed images, the worst and the best; images without a score (NaN) are neither.

    >>> sorted(choose_examples({0: 0.5, 1: 0.1, 2: 0.9, 3: 0.4, 4: float("nan")}, fixed=[3, 4, 7], extremes=1))
    [1, 2, 3, 4]
    """
    ranked = sorted((index for index in scores if scores[index] == scores[index]), key=lambda index: scores[index])
    best = ranked[max(0, len(ranked) - extremes) :]
    return {*(index for index in fixed if index in scores), *ranked[:extremes], *best}


def example_of(index: int, score: float, prediction: Prediction, batch: Batch, place: int) -> Example:
    """The sample at ``place`` in a batch; with one box per class, the true label's box, which is the scored one."""
    guess = {name: value[place] for name, value in prediction.items()}
    per_class = guess.pop("box_per_class", None)
    if per_class is not None and "box" not in guess:
        guess["box"] = of_label(per_class[None], batch["label"][place][None])[0]
    truth = {name: value[place] for name, value in batch.items() if name in TARGETS}  # type: ignore[index]
    # Copies: a view would keep the whole batch in memory, and send it to other ranks.
    copied = [{name: value.cpu().clone() for name, value in one.items()} for one in (truth, guess)]
    return Example(index, score, *copied)


def write_picture(pixels: Tensor, path: Path, side: int) -> Size:
    """Write an image (3, H, W), uint8, as WebP with at most ``side`` pixels a side; return its (width, height)."""
    picture = to_pil_image(pixels)
    share = min(1, side / max(picture.size))
    size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
    picture.resize(size, Image.Resampling.BOX).save(path, "WEBP", quality=85, method=4)
    return size


def write_layers(
    image: Example, size: Size, folder: Path, pixels: tuple[int, int], with_truth: bool = True
) -> dict[str, Any]:
    """Write an image's masks at the size of its picture; return the record that names them.

    Labels and boxes, (x, y, h, w) as shares of the image, are in the record itself.

    Args:
        pixels: (H, W) of the image, to which the boxes of objects refer.
        with_truth: False if the true mask is already written.
    """
    record: dict[str, Any] = {"index": image.index, "score": round(image.score, 4), "size": list(size)}
    for kind, values in (("truth", image.truth), ("prediction", image.prediction)):
        record[kind] = _numbers(values)
        if "mask" in values:
            record[kind]["mask"] = f"{image.index}-{kind}.png"
            if kind == "prediction" or with_truth:
                mask = palette_image(stretch(values["mask"], size[::-1]))
                mask.save(folder / record[kind]["mask"], "PNG")
    if "objects" in image.truth and "objects" in image.prediction:
        for kind, layer in write_objects(image.index, image.truth, image.prediction, size, folder, pixels).items():
            record[kind] |= layer
    return record


def _numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "label" in values:
        found["label"] = int(values["label"])
    if "labels" in values:
        found["labels"] = (values["labels"] == 1).nonzero()[:, 0].tolist()
        if "probability" in values:
            found["probabilities"] = rounded(values["probability"][found["labels"]])
    elif "probability" in values:
        found["probability"] = round(float(values["probability"].max()), 4)
    if "box" in values:
        found["box"] = rounded(values["box"])
    return found
