"""Between the house's ``Objects`` and the dicts that torchvision's detection parts take and return.

torchvision counts the background as class 0; the house has no class for it.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torchvision.models.detection.image_list import ImageList

from vggexp.types import ObjectList, Objects

NAMES = {
    "loss_objectness": "objectness",
    "loss_rpn_box_reg": "rpn_box",
    "loss_classifier": "class",
    "loss_box_reg": "box",
    "loss_mask": "mask",
    "classification": "class",
    "bbox_regression": "box",
    "bbox_ctrness": "centerness",
}
"""torchvision's names of losses, and ours."""


def to_targets(objects: ObjectList, masks: bool = False, background: bool = True) -> list[dict[str, Tensor]]:
    """What an image's network is to find: ``boxes`` (K, 4), ``labels`` (K,) and, if asked for, ``masks`` (K, H, W).

    Crowds and difficult objects are left out, and boxes without area, which no anchor can match.

    Args:
        background: whether labels count from 1, because 0 is the background.
    """
    found = []
    for one in objects:
        kept = one[one.counted() & (one.boxes[:, 2:] > one.boxes[:, :2]).all(1)]
        target = {"boxes": kept.boxes, "labels": kept.labels + int(background)}
        if masks:
            assert kept.masks is not None
            target["masks"] = kept.masks
        found.append(target)
    return found


def from_detections(found: Sequence[Mapping[str, Tensor]], background: bool = True) -> ObjectList:
    """Torchvision's detections of each image, most certain first; ``masks`` are binary by now."""
    return ObjectList(
        Objects(
            one["boxes"].float(),
            one["labels"] - int(background),
            masks=one.get("masks"),
            scores=one["scores"].float(),
        )
        for one in found
    )


def renamed(losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Torchvision's losses under our names."""
    return {NAMES.get(name, name.removeprefix("loss_")): value for name, value in losses.items()}


def image_list(count: int, size: tuple[int, int], cells: tuple[int, int], stride: int) -> ImageList:
    """``count`` images of ``size``, without pixels, as torchvision's parts ask for them.

    AnchorGenerator divides the tensor's sides by the map's cells to find the stride. Of 47 pixels pooling leaves 2
    cells of 16, and it would take 23: so the tensor is as large as its cells, and only the sizes are the images'.
    """
    tensors = torch.empty((count, 0, cells[0] * stride, cells[1] * stride), device="meta")
    return ImageList(tensors, [size] * count)
