"""torchvision's R-CNN parts, put together for a pyramid's maps; what they return is float32."""

from collections.abc import Mapping
from typing import Any

from torchvision.models.detection.faster_rcnn import TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.ops.poolers import LevelMapper

from vggexp.head.detection.align import PyramidAlign
from vggexp.head.detection.anchors import PyramidAnchors
from vggexp.head.detection.float32 import MaskPredictor, Predictor, Proposer

COARSEST_POOLED = 4
"""Regions are pooled from the four finest maps; the proposals come from all of them (section 4.2 of the paper)."""


def make_rpn(channels: int, anchors: PyramidAnchors, proposals: int) -> RegionProposalNetwork:
    """A region proposal network over maps of ``channels``, with the paper's thresholds.

    Args:
        channels: of each map.
        anchors: the anchors, and with them their number at each place.
        proposals: maximum number of an image in evaluation; twice as many while it trains, as torchvision has it.
    """
    head = Proposer(channels, anchors.num_anchors_per_location()[0])
    kept = {"training": 2 * proposals, "testing": proposals}
    return RegionProposalNetwork(anchors, head, 0.7, 0.3, 256, 0.5, kept, kept, 0.7)


def make_roi_heads(
    strides: Mapping[str, int],
    channels: int,
    classes: int,
    hidden: int,
    *,
    samples: int,
    threshold: float,
    overlap: float,
    detections: int,
    masks: int = 0,
) -> RoIHeads:
    """Class, box and mask of each region.

    Args:
        strides: of the maps, by name, from fine to coarse.
        channels: of each map.
        classes: number of classes, without the background.
        hidden: units of the two dense layers.
        samples: number of an image's regions that are learnt from in a step, a quarter of them with an object.
        threshold, overlap, detections: what is kept of the detections: those above the score, no two of a class with a
            larger IoU, at most so many an image.
        masks: channels of the mask branch; 0: there is none.
    """
    pooled = dict(list(strides.items())[:COARSEST_POOLED])
    branch: dict[str, Any] = {}
    if masks:
        branch = {
            "mask_roi_pool": make_pool(pooled, 14),
            "mask_head": MaskRCNNHeads(channels, (masks,) * 4, 1),
            "mask_predictor": MaskPredictor(masks, masks, classes + 1),
        }
    return RoIHeads(
        make_pool(pooled, 7),
        TwoMLPHead(channels * 7**2, hidden),
        Predictor(hidden, classes + 1),
        0.5, 0.5, samples, 0.25, None, threshold, overlap, detections, **branch,
    )  # fmt: skip


def make_pool(strides: Mapping[str, int], side: int) -> PyramidAlign:
    """RoIAlign to ``side`` x ``side`` cells, from the map that suits each region's size.

    torchvision would infer the strides from the first image, and be wrong if that is small.
    """
    pool = PyramidAlign(list(strides), side, 2)
    pool.scales = [1 / stride for stride in strides.values()]
    finest, coarsest = (pick(strides.values()).bit_length() - 1 for pick in (min, max))
    pool.map_levels = LevelMapper(finest, coarsest, pool.canonical_scale, pool.canonical_level)
    return pool
