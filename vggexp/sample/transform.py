"""What a recipe makes of one sample: image, box and mask move together."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from vggexp.boxes import from_edges
from vggexp.errors import ConfigError, first_line
from vggexp.sample.crop import Crop
from vggexp.sample.decode_scale import shrink_factor
from vggexp.sample.fit import Fit
from vggexp.sample.labels import Labels
from vggexp.sample.recipe import pipeline
from vggexp.sample.resize import Recipe, plain_recipe
from vggexp.types import Objects, Sample

DRAWS = 10
KEPT = 0.3
"""A draw that leaves less than this share of the box's area in sight is drawn again."""


class Transform:
    """Applies a recipe to one sample, and gives plain tensors: contiguous ones, but the image as it lies in memory.

    If a draw loses the box (under ``KEPT`` of its area is left), the recipe draws again, up to ``DRAWS`` times; then
    the sample takes the evaluation recipe. All randomness comes from torch's global generator.

    Args:
        recipe: the steps; an empty recipe passes the sample through.
        evaluation: the deterministic recipe to fall back on; None if ``recipe`` is that one.

    Raises:
        ConfigError: a transform that torchvision has not, or not with these arguments.
    """

    def __init__(self, recipe: Recipe, evaluation: Recipe | None = None) -> None:
        self._steps = pipeline(recipe)
        self._evaluation = None if evaluation is None else pipeline(evaluation)
        self.recipes = (plain_recipe(recipe), None if evaluation is None else plain_recipe(evaluation))
        self._factors: dict[tuple[int, int], int] = {}

    def __call__(
        self,
        image: Tensor,
        *,
        index: int | Tensor,
        label: int | Tensor | None = None,
        labels: Tensor | None = None,
        box: Tensor | None = None,
        mask: Tensor | None = None,
        objects: Objects | None = None,
        size: tuple[int, int] | None = None,
    ) -> Sample:
        """The sample with the targets that are given.

        Args:
            image: uint8, (3, H, W).
            index: the sample's place in its split.
            label: its class.
            labels: uint8, (C,): 1 for each class that it shows; a crop that cuts an object away leaves its class.
            box: (4,), edges (left, top, right, bottom) in pixels, inside the image.
            mask: uint8, (H, W). What a transform uncovers becomes VOID.
            objects: boxes in pixels, with masks or without.
            size: (height, width) that the image is stored at, if it was decoded smaller.

        Raises:
            ConfigError: the recipe does not work on this sample, or the evaluation recipe cuts its box away.
        """
        moved = self.move(image, box, mask, size, objects)
        sample: Sample = {"image": moved["image"], "index": torch.as_tensor(index)}
        if label is not None:
            sample["label"] = torch.as_tensor(label)
        if labels is not None:
            sample["labels"] = labels
        if box is not None:
            height, width = moved["image"].shape[-2:]
            sample["box"] = from_edges(moved["box"] / torch.tensor([width, height, width, height]))
        if mask is not None:
            sample["mask"] = moved["mask"].contiguous()
        if objects is not None:
            sample["objects"] = moved["objects"]  # type: ignore[typeddict-item]
        return sample

    def shrink(self, height: int, width: int) -> int:
        """What the sides of an image may be divided by before it comes here: 1, 2, 4 or 8 (``decode_scale``)."""
        if (height, width) not in self._factors:
            both = [self._steps] if self._evaluation is None else [self._steps, self._evaluation]
            firsts = [_first(steps) for steps in both]
            self._factors[height, width] = min(
                shrink_factor(getattr(first, "step", first), height, width) for first in firsts
            )
        return self._factors[height, width]

    def divided(self) -> "tuple[Transform | None, Transform]":
        """Its opening resize to a fixed size, which gives the same every time, and the rest; None if it has none.

        Nor is one that crops taken off what may draw again: how much of a box is left would be counted from the crop.
        """
        recipe, fallback = self.recipes
        opening, first = recipe[:1], _first(self._steps)
        fixed = isinstance(first, v2.Resize) and len(first.size) == 2
        if isinstance(first, Fit):
            fixed = first.scale is None and (first.mode == "letterbox" or fallback is None)
        if not fixed or (fallback is not None and fallback[:1] != opening):
            return None, self
        return Transform(opening), Transform(recipe[1:], None if fallback is None else fallback[1:])

    def move(
        self,
        image: Tensor,
        box: Tensor | None = None,
        mask: Tensor | None = None,
        size: tuple[int, int] | None = None,
        objects: Objects | None = None,
    ) -> dict[str, Any]:
        """Image, box (edges in pixels), mask and objects, those that are given, as the recipe leaves them."""
        if self._evaluation is not None:
            steps = at_scale(self._steps, size, image)
            for _ in range(DRAWS):
                moved, kept = _apply(steps, image, box, mask, objects)
                if kept >= KEPT:
                    return moved
        moved, kept = _apply(at_scale(self._evaluation or self._steps, size, image), image, box, mask, objects)
        if kept <= 0:
            raise ConfigError(
                "the evaluation recipe cuts a box away; keep the whole photo: data.resize=letterbox, not crop; "
                "in a recipe of your own Resize, not CenterCrop"
            )
        return moved


def _first(steps: v2.Transform) -> v2.Transform | None:
    return steps.transforms[0] if isinstance(steps, v2.Compose) else None


def at_scale(steps: v2.Transform, size: tuple[int, int] | None, image: Tensor) -> v2.Transform:
    """The steps for an image that is stored at ``size``."""
    first = _first(steps)
    if size is None or size == tuple(image.shape[-2:]) or not isinstance(first, Crop | Fit):
        return steps
    return v2.Compose([first.of(size), *steps.transforms[1:]])


def _apply(
    steps: v2.Transform, image: Tensor, box: Tensor | None, mask: Tensor | None, objects: Objects | None
) -> tuple[dict[str, Any], float]:
    """Image, box (4 edges, clipped) and mask after ``steps``; and the share of the box's area that is left."""
    size = tuple(image.shape[-2:])
    # Alone it needs no type to be told by: torchvision takes a plain tensor for the image, in half the overhead.
    parts = {"image": image if box is None and mask is None and objects is None else tv_tensors.Image(image)}
    if box is not None:
        # Twice: clipped to the image at each step, and never. Their ratio is what the crops left of the box.
        for name, clip in ("box", "soft"), ("whole", None):
            edges = box.float()[None]
            parts[name] = tv_tensors.BoundingBoxes(edges, format="XYXY", canvas_size=size, clamping_mode=clip)
    if mask is not None:
        parts["mask"] = Labels(mask)
    if objects is not None:
        for name, clip in ("boxes", "soft"), ("wholes", None):
            parts[name] = tv_tensors.BoundingBoxes(objects.boxes, format="XYXY", canvas_size=size, clamping_mode=clip)
        if objects.masks is not None:
            parts["layers"] = Labels(objects.masks)
    try:
        found = moved(steps, parts)
    except ValueError as error:
        reason = first_line(error)
        raise ConfigError(f"the transform recipe fails on an image of {size[0]} x {size[1]}: {reason}") from error
    if objects is not None:
        found["objects"] = _kept(objects, found)
    if box is None:
        return found, 1.0
    found["box"], kept = _visible(found["box"], found["whole"], found["image"])
    return found, kept


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
            _require_beside(image, name, found[name], type(part))
    return {name: part.as_subclass(Tensor) for name, part in found.items()}


def _require_beside(image: Tensor, name: str, part: Any, kind: type) -> None:
    """ValueError unless the part is still of its kind, and of the image's size."""
    if type(part) is not kind:  # by its type torchvision knows how to move it
        raise ValueError(
            f"the {name} becomes an object of type {type(part).__name__}; leave out the step that makes it"
        )
    if isinstance(part, tv_tensors.BoundingBoxes) and part.format is not tv_tensors.BoundingBoxFormat.XYXY:
        raise ValueError(f"the {name} is in the format {part.format.name}; leave out ConvertBoundingBoxFormat")
    if isinstance(part, Labels) and part.shape[-2:] != image.shape[-2:]:
        sizes = [f"{one.shape[-2]} x {one.shape[-1]}" for one in (image, part)]
        raise ValueError(f"the image becomes {sizes[0]} and its {name} {sizes[1]}")


def _other_kind(name: str, part: Any) -> str:
    return f"the {name} becomes an object of type {type(part).__name__}; leave out the step that makes it"


def _kept(objects: Objects, found: dict[str, Tensor]) -> Objects:
    """The objects of which ``KEPT`` of the box is in sight, and of the mask some."""
    height, width = found["image"].shape[-2:]
    boxes = found["boxes"].clamp(min=0).minimum(torch.tensor([width, height, width, height]))
    areas = [(edges[:, 2:] - edges[:, :2]).clamp(min=0).prod(1) for edges in (boxes, found["wholes"])]
    masks = (found["layers"] == 1).to(torch.uint8) if "layers" in found else None
    moved = replace(objects, boxes=boxes, masks=masks)
    kept = (areas[0] > 0) & (areas[0] >= KEPT * areas[1])
    return moved[kept if masks is None else kept & masks.flatten(1).bool().any(1)]


def _visible(clipped: Tensor, whole: Tensor, image: Tensor) -> tuple[Tensor, float]:
    """The box's edges (4,), and the share of its area that is left."""
    if not clipped.numel() or not whole.numel():  # a transform dropped it
        return torch.zeros(4), 0.0
    height, width = image.shape[-2:]
    edges = clipped[0].clamp(min=0).minimum(torch.tensor([width, height, width, height]))
    areas = [float((e[2:] - e[:2]).clamp(min=0).prod()) for e in (edges, whole[0])]
    return edges, areas[0] / areas[1] if areas[1] else 0.0
