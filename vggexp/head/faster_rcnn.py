"""Faster R-CNN: a network that proposes regions, and one that classifies each and corrects its box.

Ren et al., "Faster R-CNN: Towards Real-Time Object Detection with Region Proposal Networks", arXiv 1506.01497. With
VGG16 it reads conv5_3, before the last pooling (stride 16), and with ``stride=8`` conv4_3, too; the regions' 7x7
features go through fc6 and fc7. The parts are torchvision's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import interpolate
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.ops import roi_pool

from vggexp.head.detection import two_stage
from vggexp.head.detection.align import Boxes, align
from vggexp.head.detection.anchors import MapAnchors, is_small
from vggexp.head.detection.float32 import Predictor, Proposer
from vggexp.head.detection.padded import Padded
from vggexp.head.detection.targets import image_list
from vggexp.types import Features, HeadSpec, ObjectList


class FasterRCNN(nn.Module):
    """Features to the objects of each image.

    The dense layers are called as VGG's classifier's, fc6 ``classifier.0`` and fc7 ``classifier.3``, so that they can
    start from one (``head.weights_map=fitting``).

    Args:
        spec: the backbone's channels and strides, and the number of classes.
        image_size: [height, width] of the images, pixels, for the anchors' sizes.
        anchors: sides of the square anchors, as shares of the image's shorter side; 128, 256 and 512 pixels of 600 in
            the paper. None: 0.2, 0.4 and 0.8, until they are fitted to objects.
        ratios: heights over widths of the anchors of each size.
        stride: of the map, pixels. 16: conv5_3, the paper's. 8, for small objects: conv5_3 is enlarged and conv4_3
            added, as a level of a pyramid is made (Lin et al., arXiv 1612.03144, section 3). None: 16, and 8 on small
            images.
        hidden: units of fc6 and of fc7.
        pool: side of the grid that a region's features are pooled to.
        pooling: "pool": the maximum in cells of whole pixels, the paper's; "align": bilinear samples in cells that are
            not rounded (He et al., arXiv 1703.06870, 3).
        dropout: probability, after fc6 and fc7.
        proposals: regions of an image that are classified, outside training.
        samples: regions of an image that the second stage trains on.
        detections: most objects found in an image.
        threshold: least score of a found object.
        overlap: of two objects of one class with a larger IoU, the less certain is dropped.

    Raises:
        ValueError: an option is not known, or out of its range.
    """

    reads: frozenset[str] = frozenset({"skips"})
    learns_from: frozenset[str] = frozenset({"objects"})

    def __init__(
        self,
        spec: HeadSpec,
        image_size: Sequence[int],
        anchors: Sequence[float] | None = None,
        ratios: Sequence[float] = (0.5, 1.0, 2.0),
        stride: int | None = None,
        hidden: int = 4096,
        pool: int = 7,
        pooling: str = "align",
        dropout: float = 0.5,
        proposals: int = 300,
        samples: int = 128,
        detections: int = 100,
        threshold: float = 0.05,
        overlap: float = 0.5,
    ) -> None:
        super().__init__()
        stride = stride or (8 if is_small(image_size) else 16)
        if stride not in (8, 16):
            raise ValueError(f"head.stride is 8 or 16 pixels, not {stride}")
        channels, self.stride = spec.channels[-1], stride
        self.finer = nn.Conv2d(spec.channels[-2], channels, 1) if stride == 8 else None
        self.shallowest = 4 if stride == 8 else 5
        generator = MapAnchors(self.stride, anchors, ratios, min(image_size))
        self.proposer = Proposer(channels, generator.num_anchors_per_location()[0])
        self.classifier = dense(channels * pool**2, hidden, dropout)
        self.predictor = Predictor(hidden, spec.num_classes + 1)
        nn.init.normal_(self.predictor.cls_score.weight, std=0.01)
        nn.init.normal_(self.predictor.bbox_pred.weight, std=0.001)
        region_proposals = RegionProposalNetwork(
            generator, self.proposer, 0.7, 0.3, 256, 0.5,
            {"training": 2000, "testing": 1000}, {"training": 2000, "testing": proposals}, 0.7,
        )  # fmt: skip
        region_heads = RoIHeads(
            RegionPool(pool, self.stride, pooling), self.classifier, self.predictor,
            0.5, 0.5, samples, 0.25, None, threshold, overlap, detections,
        )  # fmt: skip
        # Not registered, or each layer would have a second name: theirs are this head's own.
        self._parts = (region_proposals, region_heads)

    @property
    def anchors(self) -> MapAnchors:
        """Its anchors."""
        found: MapAnchors = self._parts[0].anchor_generator
        return found

    def forward(self, features: Features, targets: Mapping[str, ObjectList] | None = None) -> Any:
        """The objects found in each image; with the targets' objects, the losses of both stages."""
        if targets is None and features.skips[-1].is_meta:
            return self.padded(features).objects(features.size)
        given = self._given(features, len(features.skips[-1]))
        if targets is None:
            return two_stage.detections(*given)
        return two_stage.losses(*given[:4], targets["objects"], given[4])

    def padded(self, features: Features) -> Padded:
        """The objects in a fixed number of slots an image, for export."""
        return two_stage.padded(*self._given(features, 1))

    def _given(
        self, features: Features, count: int
    ) -> tuple[RegionProposalNetwork, RoIHeads, dict[str, Tensor], tuple[int, int], ImageList]:
        """The two stages, their map, the images' size, and ``count`` images for the anchors."""
        x = self._map(features)
        images = image_list(count, features.size, (x.shape[-2], x.shape[-1]), self.stride)
        return *self._parts, {"0": x}, features.size, images

    def _map(self, features: Features) -> Tensor:
        coarse = features.skips[-1].float()
        if self.finer is None:
            return coarse
        finer: Tensor = self.finer(features.skips[-2]).float()
        return interpolate(coarse, (finer.shape[-2], finer.shape[-1]), mode="bilinear") + finer


class RegionPool(nn.Module):
    """One feature map's values in regions: (R, channels, size, size).

    Args:
        size: side of the grid.
        stride: pixels to a cell of the feature map.
        pooling: "pool" or "align".
    """

    def __init__(self, size: int, stride: int, pooling: str) -> None:
        super().__init__()
        if pooling not in ("align", "pool"):
            raise ValueError(f"head.pooling={pooling} is not known; choose from: align, pool")
        self.size, self.stride, self.pooling = size, stride, pooling

    def forward(self, maps: Mapping[str, Tensor], boxes: Boxes, _sizes: Any) -> Tensor:
        """As RoIHeads calls it, with each image's regions (R_i, 4) in pixels; or with all of them, (R, 5)."""
        (x,) = maps.values()
        if self.pooling == "align":
            return align(x, boxes, (self.size, self.size), 1 / self.stride, ratio=2)
        found: Tensor = roi_pool(x, boxes, self.size, 1 / self.stride)
        return found


def dense(incoming: int, hidden: int, dropout: float) -> nn.Sequential:
    """fc6 and fc7, numbered and initialised as in ``mlp.MLP``, for regions (R, channels, pool, pool)."""
    layers = nn.Sequential(
        Flat(incoming, hidden), nn.ReLU(inplace=True), nn.Dropout(dropout),
        nn.Linear(hidden, hidden), nn.ReLU(inplace=True), nn.Dropout(dropout),
    )  # fmt: skip
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return layers


class Flat(nn.Linear):
    """A dense layer on whatever it is given, flattened: a layer of its own would shift the classifier's numbers."""

    def forward(self, x: Tensor) -> Tensor:
        """(R, ...) to (R, units)."""
        return super().forward(x.flatten(1))
