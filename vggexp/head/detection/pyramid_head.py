"""What Faster R-CNN and Mask R-CNN on a feature pyramid share: all but their arguments and the mask branch.

Lin et al., "Feature Pyramid Networks for Object Detection", arXiv 1612.03144, section 4.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from vggexp.head.detection import two_stage
from vggexp.head.detection.anchors import PyramidAnchors, cells_for
from vggexp.head.detection.padded import Padded
from vggexp.head.detection.parts import make_roi_heads, make_rpn
from vggexp.head.detection.pyramid import Pyramid
from vggexp.types import Features, HeadSpec, ObjectList


class PyramidHead(nn.Module):
    """Features to losses or, without targets, to each image's objects.

    Args:
        spec: the backbone's channels and the number of classes.
        image_size: [height, width] of the images, pixels, for the anchors.
        channels: of the pyramid's maps.
        anchor: side of a square anchor, in cells of its map; None: by the size of the images.
        ratios: the anchors' heights by their widths.
        proposals: regions of an image that are classified, outside training.
        second: arguments of ``parts.make_roi_heads``.
    """

    reads: frozenset[str] = frozenset({"skips"})
    shallowest = 3
    learns_from: frozenset[str] = frozenset({"objects"})

    def __init__(
        self,
        spec: HeadSpec,
        image_size: Sequence[int],
        channels: int,
        anchor: float | None,
        ratios: Sequence[float],
        proposals: int,
        **second: Any,
    ) -> None:
        super().__init__()
        self.pyramid = Pyramid(spec, channels)
        anchors = PyramidAnchors(tuple(self.pyramid.strides.values()), anchor or cells_for(image_size), ratios)
        self.rpn = make_rpn(channels, anchors, proposals)
        self.roi_heads = make_roi_heads(self.pyramid.strides, channels, spec.num_classes, **second)

    @property
    def anchors(self) -> PyramidAnchors:
        """Its anchors."""
        found: PyramidAnchors = self.rpn.anchor_generator
        return found

    def forward(self, features: Features, targets: Mapping[str, Any] | None = None) -> dict[str, Tensor] | ObjectList:
        """The losses of proposals, regions and masks, by part; without targets, the objects of each image."""
        maps = self.pyramid(features)
        if targets is not None:
            return two_stage.losses(self.rpn, self.roi_heads, maps, features.size, targets["objects"])
        return two_stage.detections(self.rpn, self.roi_heads, maps, features.size)

    def padded(self, features: Features) -> Padded:
        """The detections as tensors of fixed shape, for export; masks on a grid over their boxes."""
        return two_stage.padded(self.rpn, self.roi_heads, self.pyramid(features), features.size)
