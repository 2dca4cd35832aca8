"""What a network found in a photo, object by object, in JSON types.

A mask of twelve megapixels for each of a hundred objects would take a gigabyte, so each is laid onto the photo, written
and encoded before the next.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from vggexp.deploy.predict.rle import encode
from vggexp.deploy.predict.row import rounded
from vggexp.deploy.predict.view import Size, Window
from vggexp.types import DataInfo, Objects, Prediction


def above(prediction: Prediction, threshold: float | None) -> Prediction:
    """The prediction without objects that score below the threshold; None keeps all that the head found."""
    objects = prediction.get("objects")
    if threshold is None or objects is None:
        return prediction
    return {**prediction, "objects": objects[objects.scores >= threshold]}


def describe_objects(
    seen: Objects, window: Window, size: Size, info: DataInfo, write: Callable[[int, Tensor], str] | None = None
) -> list[dict[str, Any]]:
    """One row an object, the most certain first.

    ``class``, ``score``, 0 to 1, and ``box_pixels``, (left, top, right, bottom) in the photo's pixels; with masks
    ``pixels``, their number, and ``rle``, COCO's encoding; ``mask`` is what ``write`` returns.

    Args:
        seen: in the pixels of the network's image.
        window, size: where the photo, (H, W), lies in that image.
        write: writes the mask (H, W) of the object with this number.
    """
    return [_row(seen[[number]], number, window, size, info, write) for number in range(len(seen))]


def _row(
    one: Objects, number: int, window: Window, size: Size, info: DataInfo, write: Callable[[int, Tensor], str] | None
) -> dict[str, Any]:
    laid: Objects = window.lay_back({"objects": one}, size)["objects"]
    assert laid.scores is not None
    row: dict[str, Any] = {
        "class": info.classes[int(laid.labels[0])],
        "score": round(float(laid.scores[0]), 5),
        "box_pixels": rounded(laid.boxes[0], 1),
    }
    if laid.masks is not None:
        mask = laid.masks[0]
        row |= {"pixels": int(mask.sum()), "rle": encode(mask)}
        if write:
            row["mask"] = write(number, mask)
    return row


def save_object(mask: Tensor, path: Path) -> None:
    """Write a mask (H, W) of 0 and 1 as a PNG of black and white."""
    Image.fromarray(mask.numpy() * 255).convert("1").save(path, format="PNG")
