"""Objects of an example image, as a viewer can overlay them: numbers, and the masks of all of them in one picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from vggexp.boxes import from_pixels
from vggexp.sample.mask_grid import stretch
from vggexp.task.diagnostics.objects import statuses
from vggexp.task.diagnostics.rounding import rounded
from vggexp.task.drawing import STATUS
from vggexp.task.matching import SURE
from vggexp.task.metric.scored import best_first, of_image
from vggexp.types import Objects

Size = tuple[int, int]
"""(width, height), pixels."""
MOST = 200
"""Maximum number of objects of one image in a record; a mask's pixel is a byte."""


def write_objects(
    index: int,
    truth: Mapping[str, Any],
    prediction: Mapping[str, Any],
    size: Size,
    folder: Path,
    pixels: tuple[int, int],
) -> dict[str, dict[str, Any]]:
    """For ``truth`` and ``prediction``: ``objects``, and ``object_mask``, the file of their masks, if they have masks.

    An object is ``box``, (x, y, h, w) as shares of the image, ``label``, ``status`` (matched, missed, false, ignored)
    and for a prediction ``score``. Only sure predictions are kept. Pixel k + 1 of the masks belongs to object k; 0,
    which is transparent, to none.

    Args:
        size: of the picture, to which the masks are brought.
        pixels: (H, W) of the image, to which the boxes refer.
    """
    actual, guess = truth["objects"], best_first(prediction["objects"])
    assert guess.scores is not None
    guess = guess[guess.scores >= SURE]
    has_masks = actual.masks is not None and guess.masks is not None
    words = statuses(of_image(index, actual, guess, masks=has_masks))
    found: dict[str, dict[str, Any]] = {}
    for kind, objects, status in zip(("truth", "prediction"), (actual, guess), words, strict=True):
        objects, status = objects[:MOST], status[:MOST]
        found[kind] = {"objects": _records(objects, status, pixels)}
        if has_masks:
            name = found[kind]["object_mask"] = f"{index}-{kind}-objects.png"
            _mask_picture(objects, status, size).save(folder / name, "PNG")
    return found


def _records(objects: Objects, status: Sequence[str], pixels: tuple[int, int]) -> list[dict[str, Any]]:
    boxes = rounded(from_pixels(objects.boxes.float(), pixels))
    records = [
        {"box": box, "label": label, "status": word}
        for box, label, word in zip(boxes, objects.labels.tolist(), status, strict=True)
    ]
    if objects.scores is None:
        return records
    return [{**one, "score": score} for one, score in zip(records, rounded(objects.scores), strict=True)]


def _mask_picture(objects: Objects, status: Sequence[str], size: Size) -> Image.Image:
    """The palette is the objects' status; where two overlap, the smaller one is seen."""
    assert objects.masks is not None
    layer = torch.zeros(size[::-1], dtype=torch.uint8)
    small: list[Tensor] = [stretch(mask, size[::-1]) > 0 for mask in objects.masks.cpu()]
    for place in sorted(range(len(small)), key=lambda place: -int(small[place].sum())):
        layer[small[place]] = place + 1
    picture = Image.fromarray(layer.numpy())
    picture.putpalette([0, 0, 0, *(level for word in status for level in STATUS[word])])
    picture.info["transparency"] = 0
    return picture
