"""The second half of every R-CNN: proposals from a region proposal network, then classes, boxes and masks of each.

torchvision's ``RegionProposalNetwork`` and ``RoIHeads`` do the work. ``padded`` computes what they compute in
evaluation, without a loop over the images, so that one graph serves any batch size.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork, permute_and_flatten
from torchvision.ops import MultiScaleRoIAlign, roi_align
from torchvision.ops.boxes import clip_boxes_to_image

from vggexp.head.detection.anchors import bounded, images_of
from vggexp.head.detection.padded import Padded, best, pasted
from vggexp.head.detection.targets import from_detections, renamed, to_targets
from vggexp.types import ObjectList

Maps = dict[str, Tensor]


def losses(
    rpn: RegionProposalNetwork,
    heads: RoIHeads,
    maps: Maps,
    size: tuple[int, int],
    objects: ObjectList,
    images: ImageList | None = None,
) -> dict[str, Tensor]:
    """Each part's loss, a scalar.

    Args:
        images: what the anchors follow from; None: ``size``.
    """
    anchors = sum(one.shape[-2] * one.shape[-1] for one in maps.values())
    anchors *= rpn.anchor_generator.num_anchors_per_location()[0]
    targets = bounded(to_targets(objects, masks=heads.has_mask()), anchors)
    rpn.training = heads.training = True  # a frozen head is in evaluation mode while the backbone trains
    images = images or images_of(len(objects), size)
    proposals, ours = rpn(images, maps, targets)
    _, theirs = heads(maps, proposals, images.image_sizes, targets)
    return renamed({**ours, **theirs})


def detections(
    rpn: RegionProposalNetwork, heads: RoIHeads, maps: Maps, size: tuple[int, int], images: ImageList | None = None
) -> ObjectList:
    """Each image's detections.

    Args:
        images: what the anchors follow from; None: ``size``.
    """
    first = next(iter(maps.values()))
    rpn.training = heads.training = False
    if first.is_meta:
        return padded(rpn, heads, maps, size).objects(size)
    images = images or images_of(len(first), size)
    proposals, _ = rpn(images, maps)
    found, _ = heads(maps, proposals, images.image_sizes)
    if heads.has_mask():
        found = [{**one, "masks": pasted(one["masks"][:, 0], one["boxes"], size)} for one in found]
    return from_detections(found)


def padded(
    rpn: RegionProposalNetwork, heads: RoIHeads, maps: Maps, size: tuple[int, int], images: ImageList | None = None
) -> Padded:
    """The detections as tensors of fixed shape.

    Args:
        images: what the anchors follow from, of one image; None: ``size``.
    """
    if rpn.training:
        rpn.training = heads.training = False
    proposals = _proposals(rpn, maps, size, images or images_of(1, size))
    number, slots = proposals.scores.shape
    pooled = _pooled(heads.box_roi_pool, maps, proposals.boxes)
    logits, codes = heads.box_predictor(heads.box_head(pooled))
    classes = logits.shape[-1]
    scores = logits.softmax(-1)[:, 1:].reshape(number, slots * (classes - 1))
    # An empty slot's scores are 0: then it is no detection.
    scores = scores * (proposals.scores > 0).repeat_interleave(classes - 1, 1)
    decoded = heads.box_coder.decode_single(codes, proposals.boxes.reshape(-1, 4)).view(number, slots, classes, 4)
    boxes = clip_boxes_to_image(decoded[:, :, 1:].reshape(number, slots * (classes - 1), 4), size)
    labels = torch.arange(classes - 1, device=boxes.device).repeat(slots).expand(number, -1)
    found = best(
        boxes, scores, labels, heads.detections_per_img, threshold=heads.score_thresh, overlap=heads.nms_thresh
    )
    return _with_masks(heads, maps, found) if heads.has_mask() else found


def _with_masks(heads: RoIHeads, maps: Maps, found: Padded) -> Padded:
    number, slots = found.labels.shape
    logits = heads.mask_predictor(heads.mask_head(_pooled(heads.mask_roi_pool, maps, found.boxes)))
    side = logits.shape[-1]
    of_class = (found.labels + 1).reshape(-1, 1, 1, 1).expand(-1, 1, side, side)
    return replace(found, masks=logits.gather(1, of_class).sigmoid().view(number, slots, side, side))


def _proposals(rpn: RegionProposalNetwork, maps: Maps, size: tuple[int, int], images: ImageList) -> Padded:
    """The proposals of each image; their labels are their levels."""
    levels = list(maps.values())
    logits, codes = rpn.head(levels)
    counts = [one.shape[1] * one.shape[2] * one.shape[3] for one in logits]
    (anchors,) = rpn.anchor_generator(images, levels)
    kept: list[tuple[Tensor, Tensor, Tensor]] = []
    for place, own in enumerate(anchors.split(counts)):
        scores, boxes = _of_level(rpn, logits[place], codes[place], own)
        kept.append((clip_boxes_to_image(boxes, size), scores, torch.full_like(scores, place, dtype=torch.int64)))
    boxes, scores, places = (torch.cat(values, 1) for values in zip(*kept, strict=True))
    return best(boxes, scores, places, rpn.post_nms_top_n(), threshold=rpn.score_thresh, overlap=rpn.nms_thresh)


def _of_level(rpn: RegionProposalNetwork, logits: Tensor, codes: Tensor, anchors: Tensor) -> tuple[Tensor, Tensor]:
    """The best anchors of a level: their objectness (N, k) and boxes (N, k, 4)."""
    number, ratios, height, width = logits.shape
    flat = permute_and_flatten(logits, number, ratios, 1, height, width)[..., 0]
    codes = permute_and_flatten(codes, number, ratios, 4, height, width)
    top, chosen = flat.topk(min(rpn.pre_nms_top_n(), flat.shape[1]), 1)
    codes = codes.gather(1, chosen[..., None].expand(-1, -1, 4))
    boxes = rpn.box_coder.decode_single(codes.reshape(-1, 4), anchors[chosen].reshape(-1, 4))
    return top.sigmoid(), boxes.view(number, -1, 4)


def _pooled(pool: nn.Module, maps: Maps, boxes: Tensor) -> Tensor:
    """What ``pool`` gives for boxes (N, P, 4) of each image: (N * P, C, side, side)."""
    number, slots, _ = boxes.shape
    flat = boxes.reshape(-1, 4)
    image = torch.arange(number, device=boxes.device).repeat_interleave(slots).to(flat.dtype)
    regions = torch.cat((image[:, None], flat), 1)
    if not isinstance(pool, MultiScaleRoIAlign):
        found: Tensor = pool(maps, regions, [])
        return found
    levels = [maps[name] for name in pool.featmap_names]
    level = _level(pool, flat)
    result: Tensor | None = None
    for place, one in enumerate(levels):
        # All regions on each level: a graph has no lists of varying length. A level gets empty boxes for the others.
        own = (level == place)[:, None]
        seen = roi_align(
            one, torch.where(own, regions, regions * _first(regions)), pool.output_size, pool.scales[place],
            pool.sampling_ratio,
        )  # fmt: skip
        result = seen if result is None else torch.where(own[..., None, None], seen, result)
    assert result is not None
    return result


def _first(regions: Tensor) -> Tensor:
    """A factor that keeps a region's image and makes its box empty."""
    return torch.tensor((1.0, 0.0, 0.0, 0.0, 0.0), device=regions.device)


def _level(pool: MultiScaleRoIAlign, boxes: Tensor) -> Tensor:
    """(K,): the place of each box's map among the pool's: equation 1 of the FPN's paper, as ``LevelMapper`` has it."""
    mapper, sides = pool.map_levels, boxes[:, 2:] - boxes[:, :2]
    wanted = (mapper.lvl0 + torch.log2(sides.prod(1).sqrt() / mapper.s0) + mapper.eps).floor()
    places: Tensor = (wanted.clamp(mapper.k_min, mapper.k_max) - mapper.k_min).long()
    return places
