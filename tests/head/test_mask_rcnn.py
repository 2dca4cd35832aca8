"""Mask R-CNN: learns two objects by heart; its graph's form finds what torchvision's loops find."""

import pytest
import torch

from tests.head.detection.cases import SIZE, features, finds, lesson, overfit, spec
from vggexp.head.mask_rcnn import MaskRCNN
from vggexp.types import ObjectList

SMALL = {"channels": 16, "hidden": 32, "mask_channels": 8, "samples": 32, "proposals": 100}


def make(**options: float) -> MaskRCNN:
    torch.manual_seed(0)
    return MaskRCNN(spec(), SIZE, **{**SMALL, **options})  # type: ignore[arg-type]


@pytest.mark.slow
def test_it_learns_two_objects_by_heart() -> None:
    found = overfit(make(), 150)
    assert finds(found)
    expected, seen = lesson()["objects"][0], found[0]
    assert expected.masks is not None
    assert seen.masks is not None
    assert seen.masks.dtype == torch.uint8
    for label, truth in zip(expected.labels, expected.masks, strict=True):
        mask = seen.masks[seen.labels == label][0]
        assert (mask & truth).sum() / (mask | truth).sum() > 0.6


@pytest.mark.parametrize("size", [SIZE, (47, 33)])
def test_its_padded_form_is_torchvisions_evaluation(size: tuple[int, int]) -> None:
    head = make(threshold=0.0, detections=20).eval()
    seen = features(head, 3, size)
    with torch.no_grad():
        expected, slots = head(seen), head.padded(seen)
    assert slots.masks is not None
    assert slots.masks.shape[2:] == (28, 28)
    for ours, theirs in zip(slots.objects(size), expected, strict=True):
        torch.testing.assert_close(ours.boxes, theirs.boxes)
        assert torch.equal(ours.masks, theirs.masks)


def test_it_asks_for_masks() -> None:
    head = make().train()
    bare = ObjectList([type(one)(one.boxes, one.labels) for one in lesson()["objects"]])
    with pytest.raises(AssertionError):
        head(features(head), {"objects": bare})
