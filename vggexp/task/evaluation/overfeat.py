"""OverFeat's evaluation: a classifier and a localizer at every window of several scales, and the boxes merged.

Sermanet et al., "OverFeat: Integrated Recognition, Localization and Detection using Convolutional Networks",
arXiv 1312.6229: sections 3.3 (scales, offsets, maximum over places) and 4.2 to 4.3 (boxes).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vggexp.boxes import from_edges, to_edges
from vggexp.task.evaluation.merge import merge
from vggexp.task.evaluation.sides import at_side
from vggexp.task.evaluation.trace import Found, trace
from vggexp.task.evaluation.whole import Forward
from vggexp.types import Outputs, Prediction, Task

Slide = Callable[[Tensor], tuple[Tensor, Outputs]]
"""uint8 images (N, 3, H, W) to their windows' places, int64 (M, 2): (top, left), and outputs of N * M rows."""

PAPERS = (245, 281, 317, 389, 425, 461)
"""The shorter sides of the paper's six scales, pixels (table 5), of a network made for 221."""


class Seen(NamedTuple):
    """The windows of one photo at one scale, as it is or mirrored."""

    probability: Tensor
    """(M, C)."""
    windows: Tensor
    """(M, 4), edges as shares of the photo, of the windows."""
    boxes: Tensor | None
    """(M, 4), or (M, C, 4) with one box a class: edges as shares of the photo; None: there is no localizer."""


class OverFeat:
    """Classes of a photo, and with a localizer the merged box of each.

    A class's probability at a scale is its maximum over the windows; that of a photo is the mean over scales and
    mirror images. With a localizer, the class and its box are those of the merged box with the most evidence.

    Args:
        image_size: (height, width) that the network was trained at, the size of a window.
        windows: the network at every window of images.
        sides: lengths of the photo's shorter side; None: the paper's six, in proportion to ``image_size``.
        flip: each scale also mirrored.
        top: how many classes count at a scale, those with the highest maxima (4.3, step a).
        apart: the largest distance of boxes that are merged (``merge.apart``).
    """

    def __init__(
        self,
        image_size: Sequence[int],
        windows: Slide,
        sides: Sequence[int] | None = None,
        flip: bool = True,
        top: int = 5,
        apart: float = 0.5,
    ) -> None:
        self.size, self.windows = (int(image_size[0]), int(image_size[1])), windows
        self.sides = tuple(sides or paper_sides(image_size))
        self.flip, self.top, self.apart = flip, top, apart

    def __call__(self, forward: Forward, task: Task, images: Tensor) -> Prediction:
        """``label``, ``probability`` and, with a localizer, ``box``, ``box_per_class`` and ``trace`` of uint8 photos.

        ``probability`` is then the evidence of each class's best merged box, made to sum to 1.
        """
        each = [self._one(task, image[None]) for image in images]
        return {name: torch.cat([one[name] for one in each]) for name in each[0]}

    def outputs(self, forward: Forward, task: Task, images: Tensor) -> Outputs:
        """Logits (N, C) of the mean of each scale's maxima, for a classifier alone."""
        return torch.cat([_logits([one for _, one in self._views(task, image[None])]) for image in images])

    def _one(self, task: Task, image: Tensor) -> Prediction:
        views = list(self._views(task, image))
        if views[0][1].boxes is None:
            return task.predict(_logits([one for _, one in views]))
        found = gather(views, self.top)
        boxes, evidence = merged(found, self.apart)
        return {**chosen(boxes, evidence, image.device), "trace": trace(found).to(image.device)}

    def _views(self, task: Task, image: Tensor) -> Iterator[tuple[int, Seen]]:
        """A photo (1, 3, H, W) at each scale, as it is and mirrored."""
        for side in self.sides:
            scaled = at_side(image, side)
            for is_mirrored in (False, True)[: 1 + self.flip]:
                seen = scaled.flip(-1) if is_mirrored else scaled
                places, outputs = self.windows(seen)
                found = task.predict(outputs)
                size = (seen.shape[-2], seen.shape[-1])
                yield side, _placed(found, places, self.size, size, is_mirrored)


def paper_sides(image_size: Sequence[int]) -> tuple[int, ...]:
    """The paper's six scales for a network of another size.

    >>> paper_sides([221, 221]), paper_sides([64, 48])
    ((245, 281, 317, 389, 425, 461), (71, 81, 92, 113, 123, 134))
    """
    return tuple(round(max(image_size) * side / 221) for side in PAPERS)


def _placed(
    found: Prediction, places: Tensor, window: tuple[int, int], size: tuple[int, int], is_mirrored: bool
) -> Seen:
    """A scale's predictions, their boxes as shares of the photo in place of the window."""
    probability = found["probability"].float().cpu()
    whole = torch.tensor([size[1], size[0]] * 2, dtype=torch.float)
    start = places.flip(-1).float().repeat(1, 2)  # (left, top, left, top)
    frame = torch.tensor([window[1], window[0]] * 2, dtype=torch.float)
    windows = _unmirrored((start + frame * torch.tensor([0.0, 0, 1, 1])) / whole, is_mirrored)
    boxes = found.get("box_per_class", found.get("box"))
    if boxes is None:
        return Seen(probability, windows, None)
    if boxes.ndim == 3:
        start = start[:, None]
    edges = (start + to_edges(boxes.float().cpu()) * frame) / whole
    return Seen(probability, windows, _unmirrored(edges, is_mirrored))


def _unmirrored(edges: Tensor, is_mirrored: bool) -> Tensor:
    """Edges in a mirrored photo as edges in the photo itself."""
    if not is_mirrored:
        return edges
    left, top, right, bottom = edges.unbind(-1)
    return torch.stack((1 - right, top, 1 - left, bottom), -1)


def _logits(views: Sequence[Seen]) -> Tensor:
    """Logits (1, C) of the mean over the views of each class's maximum over the windows."""
    mean = torch.stack([view.probability.amax(0) for view in views]).mean(0)
    return mean.clamp(min=torch.finfo(mean.dtype).tiny).log()[None]


def gather(views: Sequence[tuple[int, Seen]], top: int) -> Found:
    """All scales' windows and boxes; of each scale the evidence of its ``top`` classes alone (4.3, steps a to c)."""
    parts = []
    for side in dict.fromkeys(side for side, _ in views):
        own = [view for at, view in views if at == side]
        best = torch.stack([view.probability.amax(0) for view in own]).amax(0)
        counts = torch.zeros_like(best, dtype=torch.bool)
        counts[best.topk(min(top, len(best))).indices] = True
        parts += [(view.windows, view.boxes, view.probability * counts) for view in own if view.boxes is not None]
    windows, boxes, evidence = zip(*parts, strict=True)
    return Found(torch.cat(windows), torch.cat(boxes), torch.cat(evidence))


def merged(found: Found, apart: float) -> tuple[Tensor, Tensor]:
    """The merged boxes (B, 4) and their evidence (B, C): of one box a class, each class's are merged by themselves."""
    if found.boxes.ndim == 2:
        return merge(found.boxes, found.evidence, apart)
    parts = []
    for label in found.evidence.any(0).nonzero()[:, 0].tolist():
        rows = found.evidence[:, label] > 0
        alone = torch.zeros_like(found.evidence[rows])
        alone[:, label] = found.evidence[rows, label]
        parts.append(merge(found.boxes[rows, label], alone, apart))
    return torch.cat([boxes for boxes, _ in parts]), torch.cat([evidence for _, evidence in parts])


def chosen(boxes: Tensor, evidence: Tensor, device: torch.device) -> Prediction:
    """The prediction (N = 1) from merged boxes (B, 4) and their evidence (B, C).

    A class without evidence has the winner's box.
    """
    best, place = evidence.max(0)
    label = best.argmax()
    place = torch.where(best > 0, place, place[label])
    per_class = from_edges(boxes[place])
    found = {"label": label, "probability": best / best.sum(), "box": per_class[label], "box_per_class": per_class}
    return {name: value[None].to(device) for name, value in found.items()}
