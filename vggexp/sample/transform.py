"""Applies a recipe to one sample: image, box, mask and objects are transformed together."""

from dataclasses import replace

import torch
from torch import Tensor
from torchvision.transforms import v2

from vggexp.boxes import from_edges
from vggexp.errors import ConfigError, DataError
from vggexp.sample.crop import Crop
from vggexp.sample.decode_scale import shrink_factor
from vggexp.sample.fit import Fit
from vggexp.sample.moving import KEPT, Parts, apply, fitted
from vggexp.sample.planes import Planes, packed
from vggexp.sample.recipe import pipeline
from vggexp.sample.resize import Recipe, plain_recipe
from vggexp.types import Objects, Sample

DRAWS = 10
"""Draws that are tried before the evaluation recipe is taken."""
MASKS = 2**29
"""Bytes of masks that the objects of one image may have."""


class Transform:
    """Applies a recipe to one sample, and gives plain tensors: contiguous ones, but the image as it lies in memory.

    If a draw loses the box (under ``KEPT`` of its area is left) or all of several objects, the recipe draws again, up
    to ``DRAWS`` times; then the sample takes the evaluation recipe. Which objects stay: ``moving.apply``. All
    randomness comes from torch's global generator.

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
        planes: Planes | None = None,
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
            objects: with their masks or without; boxes in pixels.
            planes: the masks of the objects, where they are many.
            size: (height, width) that the image is stored at, if it was decoded smaller.

        Raises:
            ConfigError: the recipe does not work on this sample, or the evaluation recipe cuts its box away.
            DataError: the objects' masks need too much memory.
        """
        if objects is not None and objects.masks is not None:
            shape = (int(image.shape[-2]), int(image.shape[-1]))
            planes = packed((mask.numpy() > 0 for mask in objects.masks), shape, f"sample {int(index)}")
            objects = replace(objects, masks=None)
        moved = self.move(Parts(image, box, mask, objects, planes), size)
        sample: Sample = {"image": moved.image, "index": torch.as_tensor(index)}
        if label is not None:
            sample["label"] = torch.as_tensor(label)
        if labels is not None:
            sample["labels"] = labels
        if moved.box is not None:
            height, width = moved.image.shape[-2:]
            sample["box"] = from_edges(moved.box / torch.tensor([width, height, width, height]))
        if moved.mask is not None:
            sample["mask"] = moved.mask.contiguous()
        if moved.objects is not None:
            sample["objects"] = self._with_masks(moved, int(index))  # type: ignore[typeddict-item]
        return sample

    def shrink(self, height: int, width: int) -> int:
        """The factor by which an image's sides may be divided before the transform: 1, 2, 4 or 8 (``decode_scale``)."""
        if (height, width) not in self._factors:
            both = [self._steps] if self._evaluation is None else [self._steps, self._evaluation]
            firsts = [_first(steps) for steps in both]
            self._factors[height, width] = min(
                shrink_factor(getattr(first, "step", first), height, width) for first in firsts
            )
        return self._factors[height, width]

    def divided(self, objects: bool = False) -> "tuple[Transform | None, Transform]":
        """Its opening resize to a fixed size, which gives the same every time, and the rest; None if it has none.

        Nor is one that crops taken off what may draw again, or off what ``objects`` pass: how much of a box is left
        would be counted from the crop.
        """
        recipe, fallback = self.recipes
        opening, first = recipe[:1], _first(self._steps)
        fixed = isinstance(first, v2.Resize) and len(first.size) == 2
        if isinstance(first, Fit):
            fixed = first.scale is None and (first.mode == "letterbox" or (fallback is None and not objects))
        if not fixed or (fallback is not None and fallback[:1] != opening):
            return None, self
        return Transform(opening), Transform(recipe[1:], None if fallback is None else fallback[1:])

    def move(self, given: Parts, size: tuple[int, int] | None = None) -> Parts:
        """The parts after the recipe.

        Args:
            size: (height, width) that the image is stored at, if it was decoded smaller.
        """
        if self._evaluation is not None:
            steps = at_scale(self._steps, size, given.image)
            for _ in range(DRAWS):
                moved = apply(steps, given)
                if moved.kept >= KEPT and not moved.lost:
                    return moved.parts
        moved = apply(at_scale(self._evaluation or self._steps, size, given.image), given)
        if moved.kept <= 0:
            raise ConfigError(
                "the evaluation recipe cuts a box away; keep the whole photo: data.resize=letterbox, not crop; "
                "in a recipe of your own Resize, not CenterCrop"
            )
        return moved.parts

    def _with_masks(self, moved: Parts, index: int) -> Objects:
        """The objects with a mask each.

        One without a pixel, as small ones are, is difficult: no target, and what is found there no error. A box of
        which the mask fills little, as after a crop through a slanted object, becomes the mask's.
        """
        objects, planes = moved.objects, moved.planes
        assert objects is not None
        if planes is None:
            return objects
        height, width = planes.pixels.shape[-2:]
        if (needed := len(objects) * height * width) > MASKS:
            most = MASKS // (height * width)
            raise DataError(
                f"sample {index} has {len(objects):,} objects, whose masks at {height} x {width} pixels need "
                f"{needed / 2**30:.1f} GiB; lower data.image_size, or leave out photos of more than {most:,} objects"
            )
        objects = replace(objects, masks=planes.masks())
        if not (covers := planes.covers()).all():
            objects = replace(objects, difficult=~covers if objects.difficult is None else ~covers | objects.difficult)
        return fitted(objects, covers)


def _first(steps: v2.Transform) -> v2.Transform | None:
    return steps.transforms[0] if isinstance(steps, v2.Compose) else None


def at_scale(steps: v2.Transform, size: tuple[int, int] | None, image: Tensor) -> v2.Transform:
    """The steps for an image that is stored at ``size``."""
    first = _first(steps)
    if size is None or size == tuple(image.shape[-2:]) or not isinstance(first, Crop | Fit):
        return steps
    return v2.Compose([first.of(size), *steps.transforms[1:]])
