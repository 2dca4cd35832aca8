"""Recipes of augmentation, as YAML writes them, to torchvision.transforms.v2: image, box and mask move together.

A recipe is a list of steps, each a transform's name or ``{name: arguments}``::

    - RandomResizedCrop: {size: [224, 224], scale: [0.5, 1.0]}
    - RandomHorizontalFlip
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from vggexp.boxes import from_edges
from vggexp.errors import ConfigError, did_you_mean
from vggexp.sample.crop import Crop
from vggexp.sample.decode_scale import shrink_factor
from vggexp.sample.jitter import Jitter
from vggexp.types import VOID, Sample

Step = str | Mapping[str, Mapping[str, Any] | None]
Recipe = Sequence[Step]

DRAWS = 10
FASTER = {"RandomResizedCrop": Crop, "ColorJitter": Jitter}
"""What gives torchvision's pixels in less time than torchvision does."""
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
        self.recipes = (recipe, evaluation)
        self._steps = pipeline(recipe)
        self._evaluation = None if evaluation is None else pipeline(evaluation)
        self._factors: dict[tuple[int, int], int] = {}

    def __call__(
        self,
        image: Tensor,
        *,
        index: int | Tensor,
        label: int | Tensor | None = None,
        box: Tensor | None = None,
        mask: Tensor | None = None,
        size: tuple[int, int] | None = None,
    ) -> Sample:
        """The sample with the targets that are given.

        Args:
            image: uint8, (3, H, W).
            index: the sample's place in its split.
            label: its class.
            box: (4,), edges (left, top, right, bottom) in pixels, inside the image.
            mask: uint8, (H, W). What a transform uncovers becomes VOID.
            size: (height, width) that the image is stored at, if it was decoded smaller.

        Raises:
            ConfigError: the recipe does not work on this sample, or the evaluation recipe cuts its box away.
        """
        moved = self.move(image, box, mask, size)
        sample: Sample = {"image": moved["image"], "index": torch.as_tensor(index)}
        if label is not None:
            sample["label"] = torch.as_tensor(label)
        if box is not None:
            height, width = moved["image"].shape[-2:]
            sample["box"] = from_edges(moved["box"] / torch.tensor([width, height, width, height]))
        if mask is not None:
            sample["mask"] = moved["mask"].contiguous()
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
        """Its opening resize to a fixed size, which gives the same every time, and the rest; None if it has none."""
        recipe, fallback = self.recipes
        opening = recipe[:1]
        size = getattr(_first(self._steps), "size", ())
        fixed = isinstance(_first(self._steps), v2.Resize) and len(size) == 2
        if not fixed or (fallback is not None and fallback[:1] != opening):
            return None, self
        return Transform(opening), Transform(recipe[1:], None if fallback is None else fallback[1:])

    def move(
        self,
        image: Tensor,
        box: Tensor | None = None,
        mask: Tensor | None = None,
        size: tuple[int, int] | None = None,
    ) -> dict[str, Tensor]:
        """Image, box (edges in pixels) and mask, those that are given, as the recipe leaves them."""
        if self._evaluation is not None:
            steps = _at_scale(self._steps, size, image)
            for _ in range(DRAWS):
                moved, kept = _apply(steps, image, box, mask)
                if kept >= KEPT:
                    return moved
        moved, kept = _apply(self._evaluation or self._steps, image, box, mask)
        if kept <= 0:
            raise ConfigError(
                "the evaluation recipe cuts a box away; let it keep the whole image: Resize, not CenterCrop"
            )
        return moved


def pipeline(recipe: Recipe) -> v2.Transform:
    """A recipe to one torchvision transform."""
    steps = [_step(name, arguments) for name, arguments in _named(recipe)]
    return v2.Compose(steps) if steps else v2.Identity()


def _first(steps: v2.Transform) -> v2.Transform | None:
    return steps.transforms[0] if isinstance(steps, v2.Compose) else None


def _at_scale(steps: v2.Transform, size: tuple[int, int] | None, image: Tensor) -> v2.Transform:
    """The steps for an image that is stored at ``size``."""
    first = _first(steps)
    if size is None or size == tuple(image.shape[-2:]) or not isinstance(first, Crop):
        return steps
    return v2.Compose([first.of(size), *steps.transforms[1:]])


def _named(recipe: Recipe) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for step in recipe:
        if isinstance(step, str):
            yield step, {}
            continue
        name, arguments = next(iter(step.items())) if isinstance(step, Mapping) and len(step) == 1 else (None, None)
        if name is None or not isinstance(arguments, Mapping | None):
            raise ConfigError(f"a transform is a name or one {{name: {{argument: value}}}}, not {step!r}")
        yield name, arguments or {}


def _step(name: str, given: Mapping[str, Any]) -> v2.Transform:
    kinds = {key: kind for key, kind in vars(v2).items() if inspect.isclass(kind) and issubclass(kind, v2.Transform)}
    if name not in kinds:
        raise ConfigError(f"torchvision.transforms.v2 has no transform {name!r}{did_you_mean(name, kinds)}")
    known = inspect.signature(kinds[name]).parameters
    for argument in given:
        if argument not in known:
            raise ConfigError(f"transform {name} has no argument {argument!r}{did_you_mean(argument, known)}")
    arguments = dict(given)
    if "transforms" in arguments:  # RandomApply, RandomChoice, RandomOrder: recipes in a recipe
        arguments["transforms"] = [_step(*inner) for inner in _named(arguments["transforms"])]
    if "fill" in known and not isinstance(arguments.get("fill"), Mapping):
        # The uncovered border is of no class: with torchvision's one fill it would read as class 0, background.
        arguments["fill"] = {tv_tensors.Mask: VOID, "others": arguments.get("fill", known["fill"].default)}
    try:
        built = kinds[name](**arguments)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"transform {name}: {_line(error)}") from error
    return FASTER[name](built) if name in FASTER else built


def _apply(
    steps: v2.Transform, image: Tensor, box: Tensor | None, mask: Tensor | None
) -> tuple[dict[str, Tensor], float]:
    """Image, box (4 edges, clipped) and mask after ``steps``; and the share of the box's area that is left."""
    size = tuple(image.shape[-2:])
    # Alone it needs no type to be told by: torchvision takes a plain tensor for the image, in half the overhead.
    parts = {"image": image if box is None and mask is None else tv_tensors.Image(image)}
    if box is not None:
        # Twice: clipped to the image at each step, and never. Their ratio is what the crops left of the box.
        for name, clip in ("box", "soft"), ("whole", None):
            edges = box.float()[None]
            parts[name] = tv_tensors.BoundingBoxes(edges, format="XYXY", canvas_size=size, clamping_mode=clip)
    if mask is not None:
        parts["mask"] = tv_tensors.Mask(mask)
    try:
        moved = {name: part.as_subclass(Tensor) for name, part in steps(parts).items()}
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(f"the transform recipe fails on an image of {size[0]} x {size[1]}: {_line(error)}") from error
    image = moved["image"]
    if image.dtype != torch.uint8 or image.ndim != 3 or image.shape[0] != 3:
        raise ConfigError("a transform recipe must give a uint8 RGB image; the backbone normalises it on the device")
    if box is None:
        return moved, 1.0
    moved["box"], kept = _visible(moved["box"], moved["whole"], image)
    return moved, kept


def _visible(clipped: Tensor, whole: Tensor, image: Tensor) -> tuple[Tensor, float]:
    """The box's edges (4,), and the share of its area that is left."""
    if not clipped.numel() or not whole.numel():  # a transform dropped it
        return torch.zeros(4), 0.0
    height, width = image.shape[-2:]
    edges = clipped[0].clamp(min=0).minimum(torch.tensor([width, height, width, height]))
    areas = [float((e[2:] - e[:2]).clamp(min=0).prod()) for e in (edges, whole[0])]
    return edges, areas[0] / areas[1] if areas[1] else 0.0


def _line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
