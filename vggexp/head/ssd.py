"""SSD: class and offset of fixed default boxes on maps from stride 8 on, without proposals.

Liu et al., "SSD: Single Shot MultiBox Detector", arXiv 1512.02325, section 2 and figure 2. The maps are conv4_3, of
which each place is scaled to a learned length (section 3.1), VGG's fc6 and fc7 as convolutions after an unpooled
stage 5, and further convolutions with stride 2.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection import ssd
from torchvision.models.detection._utils import BoxCoder, SSDMatcher
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import box_iou
from torchvision.ops.boxes import clip_boxes_to_image

from vggexp.head.detection.anchors import bounded
from vggexp.head.detection.default_boxes import DefaultBoxes
from vggexp.head.detection.float32 import SSDOutputs
from vggexp.head.detection.one_stage import top_of_each_class
from vggexp.head.detection.padded import Padded, best
from vggexp.head.detection.targets import renamed, to_targets
from vggexp.types import Features, HeadSpec, ObjectList


class SSD(nn.Module):
    """Features to losses or, without targets, to each image's objects.

    Args:
        spec: the backbone's channels and the number of classes.
        image_size: [height, width] of the images, pixels, from which the number of levels follows.
        levels: number of maps, at least 2: 6 for 300 pixels, 7 for 512. None: as many as halve ``image_size``'s shorter
            side down to one cell or two.
        hidden: channels of fc6 and fc7; the paper has 1,024. The maps after them have a half and a quarter of it.
        scales: sides of the default boxes on fc7 and on the last map, as shares of the image; between them they grow
            linearly. None: the paper's, 0.2 and 0.9, until they are fitted to objects.
        finest: side of conv4_3's default boxes. None: the paper's 0.1 (0.07 for COCO), in the same way.
        ratios: widths by heights of a map's boxes besides squares, with their inverses; the first, the second to last
            and the last map have the first of them only.
        negatives: places of background that learn, by places with an object: the worst ones.
        candidates: default boxes of a class that enter the suppression.
        detections: most objects found in an image.
        threshold: least score of a found object.
        overlap: of two objects of one class with a larger IoU, the less certain is dropped.

    Raises:
        ValueError: there are fewer than two levels, or more than maps with anything in them; or too few channels.
    """

    reads: frozenset[str] = frozenset({"skips"})
    learns_from: frozenset[str] = frozenset({"objects"})
    shallowest = 4

    def __init__(
        self,
        spec: HeadSpec,
        image_size: Sequence[int],
        levels: int | None = None,
        hidden: int = 1024,
        scales: Sequence[float] | None = None,
        finest: float | None = None,
        ratios: Sequence[float] = (2.0, 3.0),
        negatives: float = 3.0,
        candidates: int = 400,
        detections: int = 200,
        threshold: float = 0.01,
        overlap: float = 0.45,
    ) -> None:
        super().__init__()
        most = levels_for(min(image_size)) + 1
        levels = levels or most - 1
        if levels < 2:
            raise ValueError(f"head.levels={levels}: SSD has two or more, conv4_3 and fc7")
        if levels > most:
            raise ValueError(
                f"head.levels={levels}: the {most}th map of {min(image_size)} pixels has one cell; give less"
            )
        if hidden < 4:
            raise ValueError(f"head.hidden={hidden}: the coarse maps have a quarter of it; give 4 or more")
        self.length = nn.Parameter(torch.full((spec.channels[3],), 20.0))
        """The length that conv4_3's features are scaled to, by channel."""
        self.dense = _dense(spec.channels[4], hidden)
        extra = [hidden, hidden // 2, *[hidden // 4] * (levels - 3)][: levels - 1]
        self.extra = nn.ModuleList(_halved(*pair) for pair in itertools.pairwise(extra))
        self.anchors = DefaultBoxes(levels, finest, scales, ratios)
        channels = [spec.channels[3], *extra]
        self.head = SSDOutputs(channels, self.anchors.num_anchors_per_location(), spec.num_classes + 1)
        self.box_coder, self.neg_to_pos_ratio = BoxCoder((10.0, 10.0, 5.0, 5.0)), negatives
        self._matcher, self._candidates = SSDMatcher(0.5), candidates
        self._threshold, self._overlap = threshold, overlap
        self._detections = detections

    def maps(self, features: Features) -> list[Tensor]:
        """The maps, from fine to coarse."""
        # In float32: a sum of squares over 512 channels may exceed what float16 holds.
        finest = nn.functional.normalize(features.skips[3].float()) * self.length.view(1, -1, 1, 1)
        found = [finest.to(features.skips[3].dtype), self.dense(features.skips[4])]
        for extra in self.extra:
            found.append(extra(found[-1]))
        return found

    def forward(self, features: Features, targets: Mapping[str, Any] | None = None) -> dict[str, Tensor] | ObjectList:
        """The losses of classes and boxes; without targets, the objects of each image."""
        if targets is None:
            return self.padded(features).objects(features.size)
        maps = self.maps(features)
        anchors = self._anchors(len(maps[0]), maps, features.size)
        found = bounded(to_targets(targets["objects"]), len(anchors[0]))
        matched = [self._match(own, one) for own, one in zip(anchors, found, strict=True)]
        # torchvision's whole detector owns the loss; of it, this needs ``box_coder`` and ``neg_to_pos_ratio``.
        losses = ssd.SSD.compute_loss(self, found, self.head(maps), anchors, matched)
        return renamed(losses)

    def padded(self, features: Features) -> Padded:
        """The detections as tensors of fixed shape, for export."""
        maps = self.maps(features)
        outputs = self.head(maps)
        (anchors,) = self._anchors(1, maps, features.size)
        codes = outputs["bbox_regression"]
        anchors = anchors.expand(codes.shape).reshape(-1, 4)
        boxes = self.box_coder.decode_single(codes.reshape(-1, 4), anchors).view(codes.shape)
        boxes = clip_boxes_to_image(boxes, features.size)
        scores = outputs["cls_logits"].softmax(-1)[..., 1:]
        boxes, scores, labels = top_of_each_class(scores, boxes, self._candidates)
        return best(boxes, scores, labels, self._detections, threshold=self._threshold, overlap=self._overlap)

    def _anchors(self, number: int, maps: list[Tensor], size: tuple[int, int]) -> list[Tensor]:
        if maps[0].is_meta:  # torchvision makes them on the CPU
            pairs = zip(maps, self.anchors.num_anchors_per_location(), strict=True)
            count = sum(one.shape[-2] * one.shape[-1] * boxes for one, boxes in pairs)
            return [maps[0].new_empty(count, 4, dtype=torch.float32)] * number
        found: list[Tensor] = self.anchors(
            ImageList(maps[0].new_empty(1).expand(1, 1, *size), [size] * number), [maps[0].float(), *maps[1:]]
        )
        return found

    def _match(self, anchors: Tensor, target: dict[str, Tensor]) -> Tensor:
        """(A,): the place of each default box's object, or -1."""
        if not len(target["boxes"]):
            return torch.full((len(anchors),), -1, device=anchors.device)
        matched: Tensor = self._matcher(box_iou(target["boxes"], anchors))
        return matched


def levels_for(side: int) -> int:
    """Number of maps of images whose shorter side is ``side`` pixels: the last has one cell, or two by two.

    >>> [levels_for(side) for side in (32, 64, 128, 300, 512)]
    [3, 4, 5, 6, 7]
    """
    return max(2, 2 + int(math.log2(side / 16)))


def _dense(incoming: int, hidden: int) -> nn.Sequential:
    """fc6 and fc7 as convolutions: pool5 keeps the resolution, so fc6's cells lie six apart (section 3)."""
    layers = nn.Sequential(
        nn.MaxPool2d(3, 1, 1),
        nn.Conv2d(incoming, hidden, 3, padding=6, dilation=6),
        nn.ReLU(inplace=True),
        nn.Conv2d(hidden, hidden, 1),
        nn.ReLU(inplace=True),
    )
    return _initialized(layers)


def _halved(incoming: int, outgoing: int) -> nn.Sequential:
    """A map of half the sides, through half the channels."""
    layers = nn.Sequential(
        nn.Conv2d(incoming, outgoing // 2, 1),
        nn.ReLU(inplace=True),
        nn.Conv2d(outgoing // 2, outgoing, 3, stride=2, padding=1),
        nn.ReLU(inplace=True),
    )
    return _initialized(layers)


def _initialized(layers: nn.Sequential) -> nn.Sequential:
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    return layers
