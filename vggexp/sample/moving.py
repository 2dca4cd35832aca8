"""Applies a recipe, or one of its steps, to an image together with its box, mask and objects."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.ops import box_iou
from torchvision.transforms import v2

from vggexp.errors import ConfigError, first_line
from vggexp.sample.labels import Labels
from vggexp.sample.planes import Planes, masks_to_edges
from vggexp.types import Objects

KEPT = 0.3
"""A box is lost if less than this share of its area is visible: an object is dropped, a random crop is drawn again."""

FITS, SMALL = 0.5, 4
"""A box fits its mask if their IoU is at least FITS; a box with a side below SMALL pixels always does."""


@dataclass(frozen=True)
class Parts:
    """An image and its targets, in pixels of the image."""

    image: Tensor
    """uint8, (3, H, W)."""
    box: Tensor | None = None
    """(4,): edges."""
    mask: Tensor | None = None
    """uint8, (H, W)."""
    objects: Objects | None = None
    """Without their masks."""
    planes: Planes | None = None
    """The masks of the objects."""


@dataclass(frozen=True)
class Moved:
    """The result of a recipe applied to ``Parts``."""

    parts: Parts
    """The box and the visible objects, clipped to the image."""
    kept: float = 1.0
    """The share of the box's area that is left; 1 if there is no box."""
    lost: bool = False
    """Whether there were objects, of which none is left."""


def apply(steps: v2.Transform, given: Parts) -> Moved:
    """All parts after the steps.

    An object of which a crop leaves less than ``KEPT`` of its box's area is dropped.

    Raises:
        ConfigError: the steps do not work on them.
    """
    size = tuple(given.image.shape[-2:])
    try:
        found = moved(steps, _typed(given))
    except ValueError as error:
        reason = first_line(error)
        raise ConfigError(f"the transform recipe fails on an image of {size[0]} x {size[1]}: {reason}") from error
    parts, kept, lost = replace(given, image=found["image"], mask=found.get("mask")), 1.0, False
    if "box" not in found:
        return Moved(parts)
    boxes, whole = found["box"], found["whole"]
    if given.objects is None and not (len(boxes) and len(whole)):  # a transform dropped the lone box
        boxes = whole = torch.zeros(1, 4)
    edges, shares = _visible(boxes, whole, found["image"])
    if given.box is not None:
        parts, kept = replace(parts, box=edges[0]), float(shares[0])
        edges, shares = edges[1:], shares[1:]
    if given.objects is not None:
        rows = in_sight(given.objects, shares)
        objects = replace(given.objects, boxes=edges)[rows]
        planes = None if given.planes is None else replace(given.planes, pixels=found["planes"])[rows]
        parts, lost = replace(parts, objects=objects, planes=planes), len(given.objects) > 0 and not rows.any()
    return Moved(parts, kept, bool(lost))


def _typed(given: Parts) -> dict[str, Any]:
    """The parts in torchvision's types, by which it knows how to transform each."""
    others = (given.box, given.mask, given.objects)
    # Without targets the image needs no type: torchvision treats a plain tensor as an image, with half the overhead.
    alone = all(part is None for part in others)
    parts: dict[str, Any] = {"image": given.image if alone else tv_tensors.Image(given.image)}
    boxes = [] if given.box is None else [given.box.float()[None]]
    boxes += [] if given.objects is None else [given.objects.boxes.float()]
    if boxes:
        # Twice: clipped to the image after each step, and never. The ratio of areas is what crops left of a box.
        for name, clip in ("box", "soft"), ("whole", None):
            size = tuple(given.image.shape[-2:])
            parts[name] = tv_tensors.BoundingBoxes(
                torch.cat(boxes), format="XYXY", canvas_size=size, clamping_mode=clip
            )
    if given.mask is not None:
        parts["mask"] = Labels(given.mask)
    if given.planes is not None:
        parts["planes"] = Labels(given.planes.pixels)
    return parts


def moved(steps: v2.Transform, parts: dict[str, Any]) -> dict[str, Tensor]:
    """Plain tensors after ``steps``.

    Args:
        parts: "image", and beside it boxes and masks in torchvision's types.

    Raises:
        ValueError: a step does not work on them, or what it gives is no longer an image with its boxes and masks.
    """
    try:
        found = steps(parts)
    except (TypeError, RuntimeError) as error:
        raise ValueError(first_line(error)) from error
    image = found["image"]
    if not isinstance(image, Tensor):
        raise ValueError(
            f"the image becomes an object of type {type(image).__name__}; leave out the step that makes it"
        )
    if image.dtype != torch.uint8 or image.ndim != 3 or image.shape[0] != 3:
        raise ValueError("a transform recipe must give a uint8 RGB image; the backbone normalises it on the device")
    for name, part in parts.items():
        if name != "image":
            _require_beside(image, name, found[name], part)
    return {name: part.as_subclass(Tensor) for name, part in found.items()}


def _require_beside(image: Tensor, name: str, part: Any, given: Any) -> None:
    """Raise ValueError unless the part still has its type and the image's size, and no box is missing."""
    if type(part) is not type(given):  # torchvision chooses the operation by this type
        raise ValueError(
            f"the {name} becomes an object of type {type(part).__name__}; leave out the step that makes it"
        )
    if isinstance(part, tv_tensors.BoundingBoxes):
        if part.format is not tv_tensors.BoundingBoxFormat.XYXY:
            raise ValueError(f"the {name} is in the format {part.format.name}; leave out ConvertBoundingBoxFormat")
        if len(part) != len(given) and len(given) > 1:
            raise ValueError("a step removes boxes; leave out SanitizeBoundingBoxes: what is not in sight is left out")
    if isinstance(part, Labels) and part.shape[-2:] != image.shape[-2:]:
        sizes = [f"{one.shape[-2]} x {one.shape[-1]}" for one in (image, part)]
        raise ValueError(f"the image becomes {sizes[0]} and its {name} {sizes[1]}")


def _visible(clipped: Tensor, whole: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
    """The boxes' edges (K, 4), clipped, and the share of each one's area that is left, (K,)."""
    height, width = image.shape[-2:]
    edges = clipped.clamp(min=0).minimum(torch.tensor([width, height, width, height]))
    areas = [(each[:, 2:] - each[:, :2]).clamp(min=0).prod(1) for each in (edges, whole)]
    return edges, torch.where(areas[1] > 0, areas[0] / areas[1].clamp(min=1e-12), 0)


def in_sight(objects: Objects, shares: Tensor) -> Tensor:
    """bool, (K,): the objects that stay.

    A crowd or a difficult object is not a target, but detections on it are excused: it stays if any part of it is left.

    Args:
        shares: (K,): how much of each box's area is left.
    """
    excuses = torch.zeros_like(shares, dtype=torch.bool)
    for flags in (objects.crowd, objects.difficult):
        excuses = excuses if flags is None else excuses | flags
    return (shares >= KEPT) | (excuses & (shares > 0))


def fitted(objects: Objects, covers: Tensor) -> Objects:
    """The objects with boxes that fit their masks; ``covers`` says which masks have a pixel."""
    rows = (covers & ((objects.boxes[:, 2:] - objects.boxes[:, :2]).amin(1) >= SMALL)).nonzero()[:, 0]
    if not len(rows) or objects.masks is None:
        return objects
    extents = masks_to_edges(objects.masks[rows])
    odd = box_iou(extents, objects.boxes[rows]).diagonal() < FITS
    boxes = objects.boxes.clone()
    boxes[rows[odd]] = extents[odd]
    return replace(objects, boxes=boxes)
