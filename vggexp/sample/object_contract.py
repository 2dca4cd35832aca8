"""What the objects of a sample must look like, for ``contract``. An error is one line: sample, object, remedy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torchvision.ops import box_iou

from vggexp.errors import DataError
from vggexp.types import Batch, ObjectList, Objects

SLACK = 1e-3
"""How far a box may reach outside the image, as a share of it: rounding."""
FITS = 0.3
"""The least IoU of a box and its mask's extent, where the box has sides of ``SMALL`` pixels or more."""
SMALL = 4
FORMS = {
    "boxes": (torch.float32, "(K, 4): left, top, right, bottom in pixels"),
    "labels": (torch.int64, "(K,)"),
    "masks": (torch.uint8, "(K, H, W)"),
    "crowd": (torch.bool, "(K,)"),
    "difficult": (torch.bool, "(K,)"),
}
"""By field: the type and the shape, for K objects."""


@dataclass(frozen=True)
class ObjectContract:
    """The contract of a split's objects.

    Args:
        classes: how many classes the data set names.
        masks: whether the task reads the objects' masks.
    """

    classes: int
    masks: bool

    def check(self, batch: Batch, named: Callable[[int], str]) -> None:
        """Raise DataError for the first object that breaks the contract.

        Args:
            named: a row of the batch to its sample's name, such as "sample 3 of train".
        """
        found: Any = batch.get("objects")
        if not isinstance(found, ObjectList) or len(found) != len(batch["index"]):
            what = "missing" if found is None else f"a {type(found).__name__}"
            raise DataError(f"objects of {named(0)} is {what}; give vggexp.types.Objects for each sample")
        size = tuple(batch["image"].shape[-2:]) if "image" in batch else None
        for row, objects in enumerate(found):
            if not isinstance(objects, Objects):
                raise DataError(f"objects of {named(row)} is a {type(objects).__name__}; give vggexp.types.Objects")
            self._check_forms(objects, named(row), size)
            self._check_values(objects, named(row), size)
        _check_unit(found, named)

    def _check_forms(self, objects: Objects, name: str, size: tuple[int, ...] | None) -> None:
        """The types and the shapes of the tensors."""
        if self.masks and objects.masks is None:
            raise DataError(f"objects of {name} has no masks, which the task reads; give them, uint8 (K, H, W)")
        for field, (dtype, right) in FORMS.items():
            value: Any = getattr(objects, field)
            if value is None:
                continue
            if not isinstance(value, Tensor) or value.dtype != dtype:
                is_now = str(value.dtype) if isinstance(value, Tensor) else type(value).__name__
                raise DataError(
                    f"objects.{field} of {name} is {is_now.removeprefix('torch.')}; it must be "
                    f"{str(dtype).removeprefix('torch.')} {right}"
                )
            wanted = {"boxes": (4,), "masks": size or tuple(value.shape[1:])}.get(field, ())
            if tuple(value.shape) != (len(objects), *wanted) or (field == "masks" and value.ndim != 3):
                raise DataError(
                    f"objects.{field} of {name} has the shape {tuple(value.shape)}; for {len(objects)} boxes it must "
                    f"be {(len(objects), *wanted)}"
                )

    def _check_values(self, objects: Objects, name: str, size: tuple[int, ...] | None) -> None:
        """The boxes, the labels and the masks."""
        if not len(objects):
            return
        for place, why in (
            *_wrong_boxes(objects.boxes, size),
            *self._wrong_labels(objects),
            *self._wrong_masks(objects),
        ):
            values = ", ".join(f"{value:.4g}" for value in objects.boxes[place].tolist())
            raise DataError(f"object {place} of {name}, label {int(objects.labels[place])}, box ({values}): {why}")

    def _wrong_labels(self, objects: Objects) -> list[tuple[int, str]]:
        wrong = (objects.labels < 0) | (objects.labels >= self.classes)
        return _first(
            wrong,
            f"the data set names {self.classes} classes, 0 to {self.classes - 1}, and none is the background; correct "
            "its annotation or add the class's name",
        )

    def _wrong_masks(self, objects: Objects) -> list[tuple[int, str]]:
        masks = objects.masks
        if masks is None or not self.masks:
            return []
        rows, columns, counted = masks.amax(2), masks.amax(1), objects.counted()
        if found := _first(rows.amax(1) > 1, "its mask holds numbers above 1; a mask is 1 where the object is, else 0"):
            return found
        if found := _first(
            (rows.amax(1) == 0) & counted, "its mask is empty; correct its annotation or leave the object out"
        ):
            return found
        extent = torch.stack((*_ends(columns), *_ends(rows)), 1)[:, [0, 2, 1, 3]].to(objects.boxes)
        iou = box_iou(extent, objects.boxes).diagonal()
        large = (objects.boxes[:, 2:] - objects.boxes[:, :2]).amin(1) >= SMALL
        return _first(
            (iou < FITS) & large & (rows.amax(1) > 0),
            "its mask lies elsewhere; is it another object's, or of another size?",
        )


def _wrong_boxes(boxes: Tensor, size: tuple[int, ...] | None) -> list[tuple[int, str]]:
    """The first invalid box, with the reason."""
    left, top, right, bottom = boxes.unbind(1)
    if found := _first(~boxes.isfinite().all(1), "a box is four finite numbers; correct its annotation"):
        return found
    if found := _first(
        (right < left) | (bottom < top),
        "read as (left, top, right, bottom), it ends before it begins; of (left, top, width, height) make "
        "(left, top, left + width, top + height)",
    ):
        return found
    if found := _first((right == left) | (bottom == top), "it has no area; correct its annotation or leave it out"):
        return found
    height, width = size or (float("inf"), float("inf"))
    slack = SLACK * max(size or (1000,))
    outside = (left < -slack) | (top < -slack) | (right > width + slack) | (bottom > height + slack)
    return _first(
        outside, f"it reaches outside the image of {height} x {width} pixels (height x width); clip it, or leave it out"
    )


def _check_unit(found: ObjectList, named: Callable[[int], str]) -> None:
    """Refuse boxes that all lie within the first pixel: their unit is not pixels."""
    if any(map(len, found)) and max(float(objects.boxes.max()) for objects in found if len(objects)) <= 1:
        row = next(row for row, objects in enumerate(found) if len(objects))
        values = ", ".join(f"{value:.4g}" for value in found[row].boxes[0].tolist())
        raise DataError(
            f"object 0 of {named(row)}, box ({values}): boxes of objects are in pixels; these look like shares of the "
            "image: multiply by its width and height"
        )


def _ends(filled: Tensor) -> tuple[Tensor, Tensor]:
    """The first and the last place, exclusive, of each row's ones: (K, L) to (K,) twice."""
    return filled.argmax(1), filled.shape[1] - filled.flip(1).argmax(1)


def _first(wrong: Tensor, why: str) -> list[tuple[int, str]]:
    """The first wrong place, with the reason; nothing if all are right."""
    return [(int(wrong.int().argmax()), why)] if bool(wrong.any()) else []
