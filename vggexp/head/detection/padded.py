"""Detections of a batch as tensors of fixed shape, which one graph can hold for any batch size.

D slots an image, the best first; a slot without a detection has score 0. In this form a network can be exported;
``objects`` gives each image its own number of detections.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torchvision.models.detection.roi_heads import paste_masks_in_image
from torchvision.ops import batched_nms, nms

from vggexp.types import ObjectList, Objects

SMALLEST = 1e-2
"""Boxes with a shorter side, in pixels, are no detections."""
_PASTED = 2**25
"""Number of pixels that masks are pasted into at once: 128 MiB of floats."""


@dataclass(frozen=True)
class Padded:
    """N images with D slots each."""

    boxes: Tensor
    """float32, (N, D, 4): left, top, right, bottom in pixels."""
    labels: Tensor
    """int64, (N, D): class, 0 to C - 1."""
    scores: Tensor
    """float32, (N, D), descending; 0: the slot holds no detection."""
    masks: Tensor | None = None
    """float32, (N, D, m, m): each pixel's probability, on a grid over the box."""

    def tensors(self) -> dict[str, Tensor]:
        """The tensors by name, ``object_boxes`` and so on, without missing masks."""
        found = {f"object_{field.name}": getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if value is not None}

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> "Padded":
        """The inverse of ``tensors``; other names, as of another task's prediction, are left alone."""
        own = [name for name in tensors if name.startswith("object_")]
        return cls(**{name.removeprefix("object_"): tensors[name] for name in own})

    def objects(self, size: tuple[int, int]) -> ObjectList:
        """Each image's detections; masks in the pixels of images of ``size`` = (H, W)."""
        slots = self.scores.shape[1]
        counts = [slots] * len(self.scores) if self.scores.is_meta else (self.scores > 0).sum(1).tolist()
        return ObjectList(self._image(place, count, size) for place, count in enumerate(counts))

    def _image(self, place: int, count: int, size: tuple[int, int]) -> Objects:
        boxes = self.boxes[place, :count]
        masks = None if self.masks is None else pasted(self.masks[place, :count], boxes, size)
        return Objects(boxes, self.labels[place, :count], masks, scores=self.scores[place, :count])


def best(
    boxes: Tensor,
    scores: Tensor,
    labels: Tensor,
    count: int,
    *,
    threshold: float,
    overlap: float,
    groups: Tensor | None = None,
) -> Padded:
    """Non-maximum suppression of each image's candidates.

    Args:
        boxes: (N, K, 4), float32.
        scores: (N, K).
        labels: (N, K).
        count: maximum number of detections of an image.
        threshold: candidates that do not score above it are no detections.
        overlap: a candidate is dropped if its IoU with a better one of its group is larger.
        groups: (N, K), from 0; None: the labels.
    """
    sides = boxes[..., 2:] - boxes[..., :2]
    scores = torch.where((scores > threshold) & (sides >= SMALLEST).all(-1), scores, 0)
    kept = torch.where(_survivors(boxes, scores, labels if groups is None else groups, overlap), scores, 0)
    scores, chosen = kept.topk(min(count, kept.shape[1]), 1)
    return Padded(boxes.gather(1, chosen[..., None].expand(-1, -1, 4)), labels.gather(1, chosen), scores)


def _survivors(boxes: Tensor, scores: Tensor, groups: Tensor, overlap: float) -> Tensor:
    """Bool (N, K): the candidates that no better one of their image and group suppresses; those of score 0 are not."""
    if boxes.is_meta:
        return scores > 0
    if torch.compiler.is_exporting():
        return _survivors_of_batch(boxes, scores, groups, overlap)
    kept = torch.zeros_like(scores, dtype=torch.bool)
    for image in range(len(boxes)):
        (candidates,) = (scores[image] > 0).nonzero(as_tuple=True)
        chosen = batched_nms(*(values[image][candidates] for values in (boxes, scores, groups)), overlap)
        kept[image, candidates[chosen]] = True
    return kept


def _survivors_of_batch(boxes: Tensor, scores: Tensor, groups: Tensor, overlap: float) -> Tensor:
    """The same in one call for the whole batch: each image and group is moved to a place of its own.

    A graph for any batch size cannot loop over the images. The places are whole numbers, so float32 keeps the boxes'
    fractions to about 1/100 pixel as long as images x groups x side stays below 2**17.
    """
    number, candidates = scores.shape
    side = boxes.max() + 1  # ``amax`` of everything has no ONNX form
    group = groups + torch.arange(number, device=boxes.device)[:, None] * (groups.max() + 1)
    moved = (boxes + (group * side.ceil())[..., None]).reshape(-1, 4)
    chosen = nms(moved, scores.reshape(-1), overlap)
    kept = torch.zeros(number * candidates, dtype=torch.bool, device=boxes.device)
    return kept.index_fill(0, chosen, True).reshape(number, candidates)


def pasted(masks: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Probabilities (K, m, m) over boxes (K, 4) to uint8 (K, H, W): 1 where the probability is at least a half."""
    if masks.is_meta:
        return masks.new_empty(len(masks), *size, dtype=torch.uint8)
    laid = torch.zeros(len(masks), *size, dtype=torch.uint8, device=masks.device)
    step = max(1, _PASTED // (size[0] * size[1]))
    for first in range(0, len(masks), step):
        some = slice(first, first + step)
        laid[some] = (paste_masks_in_image(masks[some, None].float(), boxes[some], size)[:, 0] >= 0.5).byte()
    return laid
