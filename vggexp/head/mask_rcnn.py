"""Mask R-CNN on a feature pyramid: Faster R-CNN and, beside class and box of a region, the mask of its object.

He et al., "Mask R-CNN", arXiv 1703.06870, section 3; Lin et al., arXiv 1612.03144.
"""

from collections.abc import Sequence

from vggexp.head.detection.pyramid_head import PyramidHead
from vggexp.types import HeadSpec


class MaskRCNN(PyramidHead):
    """Features to losses or, without targets, to each image's objects with their masks.

    Args:
        spec: the backbone's channels and the number of classes.
        image_size: [height, width] of the images, pixels, for the anchors.
        channels: of the pyramid's maps; the paper has 256.
        hidden: units of the two dense layers; the paper has 1,024.
        mask_channels: of the mask branch's four convolutions; the paper has 256.
        anchor: side of a square anchor, in cells of its map: 8 in the paper, 32 pixels on the finest map. None: 8 if
            images have 256 pixels or more, else 4.
        ratios: the anchors' heights by their widths.
        proposals: regions of an image that are classified, outside training; twice as many in training.
        samples: regions of an image that the second stage trains on; the paper has 512.
        detections: most objects found in an image.
        threshold: least score of a found object.
        overlap: of two objects of one class with a larger IoU, the less certain is dropped.
    """

    def __init__(
        self,
        spec: HeadSpec,
        image_size: Sequence[int],
        channels: int = 256,
        hidden: int = 1024,
        mask_channels: int = 256,
        anchor: float | None = None,
        ratios: Sequence[float] = (0.5, 1.0, 2.0),
        proposals: int = 1000,
        samples: int = 128,
        detections: int = 100,
        threshold: float = 0.05,
        overlap: float = 0.5,
    ) -> None:
        super().__init__(
            spec, image_size, channels, anchor, ratios, proposals, hidden=hidden, masks=mask_channels, samples=samples,
            threshold=threshold, overlap=overlap, detections=detections,
        )  # fmt: skip
