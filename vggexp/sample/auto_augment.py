"""Automatic augmentation that moves boxes and masks with the image; torchvision's own refuses boxes and masks.

AutoAugment (arXiv 1805.09501), RandAugment (1909.13719) and TrivialAugment (2103.10158) draw changes from a list. Five
of them move pixels: these are applied to boxes and masks, too. The others change colours and leave them as they are.
"""

from copy import copy
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten
from torchvision import tv_tensors
from torchvision.transforms import v2

MOVING = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate")
TARGETS = (tv_tensors.BoundingBoxes, tv_tensors.Mask)


class AutoAugment(v2.Transform):  # type: ignore[misc]
    """One of torchvision's automatic augmentations, for an image with its boxes and masks.

    Args:
        step: torchvision's augmentation; the draws and the resulting image are exactly its own.
    """

    def __init__(self, step: v2.Transform) -> None:
        super().__init__()
        self.step = step

    def forward(self, *inputs: Any) -> Any:
        """Augment the inputs."""
        flat, spec = tree_flatten(inputs if len(inputs) > 1 else inputs[0])
        if not any(isinstance(part, TARGETS) for part in flat):
            return self.step(*inputs)
        noted, rest = _Noted(self.step), [part for part in flat if not isinstance(part, TARGETS)]
        others = iter(noted.step(rest))
        return tree_unflatten([noted.moved(p) if isinstance(p, TARGETS) else next(others) for p in flat], spec)


class _Noted:
    """Torchvision's step, which also records the changes that it drew for an image."""

    def __init__(self, step: Any) -> None:
        self._apply, self._how = step._apply_image_or_video_transform, (step.interpolation, step._fill)
        self._changes: list[tuple[str, float]] = []
        self.step = copy(step)
        self.step._apply_image_or_video_transform = self._note

    def moved(self, target: Tensor) -> Tensor:
        """A box or a mask after the recorded changes."""
        interpolation, fill = self._how
        for name, magnitude in self._changes:
            if name in MOVING:
                target = self._apply(target, name, magnitude, interpolation=interpolation, fill=fill)
        return target

    def _note(self, image: Tensor, name: str, magnitude: float, **how: Any) -> Any:
        self._changes.append((name, magnitude))
        return self._apply(image, name, magnitude, **how)
