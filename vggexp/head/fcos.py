"""FCOS: each place of a feature pyramid says which object it lies in, and how far its edges are. No anchors.

Tian et al., "FCOS: Fully Convolutional One-Stage Object Detection", arXiv 1904.01355, section 3, with the sampling
around the centres of arXiv 2006.09214.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torchvision.models.detection import fcos
from torchvision.ops.boxes import clip_boxes_to_image

from vggexp.head.detection.anchors import PyramidAnchors, bounded
from vggexp.head.detection.float32 import FCOSOutputs
from vggexp.head.detection.one_stage import top_of_each_level
from vggexp.head.detection.padded import Padded, best
from vggexp.head.detection.pyramid import Pyramid
from vggexp.head.detection.targets import renamed, to_targets
from vggexp.types import Features, HeadSpec, ObjectList


class FCOS(nn.Module):
    """Features to losses or, without targets, to each image's objects.

    Args:
        spec: the backbone's channels and the number of classes.
        channels: of the pyramid's maps, a multiple of 32 from 64 on; the paper has 256.
        convolutions: number of 3x3 convolutions before the outputs, for classes and for boxes; the paper has 4.
        stride: of the finest map, pixels: 8 as in the paper, or 4 for small images.
        radius: a place within so many cells of an object's centre learns it; the paper has 1.5.
        candidates: places of a map, times classes, that enter the suppression.
        detections: most objects found in an image.
        threshold: least score of a found object.
        overlap: of two objects of one class with a larger IoU, the less certain is dropped.

    Raises:
        ValueError: ``channels`` or ``stride`` is not possible.
    """

    reads: frozenset[str] = frozenset({"skips"})
    learns_from: frozenset[str] = frozenset({"objects"})

    def __init__(
        self,
        spec: HeadSpec,
        channels: int = 256,
        convolutions: int = 4,
        stride: int = 8,
        radius: float = 1.5,
        candidates: int = 1000,
        detections: int = 100,
        threshold: float = 0.05,
        overlap: float = 0.6,
    ) -> None:
        super().__init__()
        if stride not in (4, 8):
            raise ValueError(f"head.stride is 4 or 8 pixels, not {stride}")
        if channels % 32 or channels < 64:
            raise ValueError(
                f"head.channels={channels}: give 64, 96, ..., because 32 groups of channels are normalised"
            )
        self.shallowest = 3 if stride == 4 else 4
        self.pyramid = Pyramid(spec, channels, self.shallowest, extra=2)
        self.head = FCOSOutputs(channels, 1, spec.num_classes, convolutions)
        self.center_sampling_radius = radius
        self.points = PyramidAnchors(tuple(self.pyramid.strides.values()), 1, (1.0,))
        """One box of a cell's size at each place: its centre is the place, its side the scale."""
        self._candidates = candidates
        self._threshold, self._overlap = threshold, overlap
        self._detections = detections

    def forward(self, features: Features, targets: Mapping[str, Any] | None = None) -> dict[str, Tensor] | ObjectList:
        """The losses of classes, boxes and centredness; without targets, the objects of each image."""
        if targets is None:
            return self.padded(features).objects(features.size)
        maps = list(self.pyramid(features).values())
        counts = [one.shape[-2] * one.shape[-1] for one in maps]
        # For each pair of place and object it holds eight numbers, where an IoU is one.
        found = bounded(to_targets(targets["objects"], background=False), 8 * sum(counts))
        points = [self.points.on(maps)] * len(found)
        # torchvision's whole detector owns the matching; of it, this needs ``center_sampling_radius`` and ``head``.
        losses = fcos.FCOS.compute_loss(self, found, self.head(maps), points, counts)
        return renamed(losses)

    def padded(self, features: Features) -> Padded:
        """The detections as tensors of fixed shape, for export."""
        maps = list(self.pyramid(features).values())
        outputs = self.head(maps)
        codes = outputs["bbox_regression"]
        boxes = self.head.box_coder.decode(codes, self.points.on(maps).expand_as(codes))
        scores = (outputs["cls_logits"].sigmoid() * outputs["bbox_ctrness"].sigmoid()).sqrt()
        counts = [one.shape[-2] * one.shape[-1] for one in maps]
        boxes, scores, labels = top_of_each_level(scores, boxes, counts, self._candidates)
        boxes = clip_boxes_to_image(boxes, features.size)
        return best(boxes, scores, labels, self._detections, threshold=self._threshold, overlap=self._overlap)
