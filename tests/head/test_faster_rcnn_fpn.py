"""Faster R-CNN on a pyramid: learns two objects by heart; its graph's form finds what torchvision's loops find."""

import pytest
import torch

from tests.head.detection.cases import SIZE, features, finds, lesson, overfit, spec
from vggexp.head.faster_rcnn_fpn import FasterRCNNFPN
from vggexp.types import ObjectList

SMALL = {"channels": 16, "hidden": 32, "samples": 32, "proposals": 100}


def make(**options: float) -> FasterRCNNFPN:
    torch.manual_seed(0)
    return FasterRCNNFPN(spec(), SIZE, **{**SMALL, **options})  # type: ignore[arg-type]


@pytest.mark.slow
def test_it_learns_two_objects_by_heart() -> None:
    assert finds(overfit(make(), 150))


@pytest.mark.parametrize("size", [SIZE, (47, 33)])
def test_its_padded_form_is_torchvisions_evaluation(size: tuple[int, int]) -> None:
    head = make(threshold=0.0).eval()
    seen = features(head, 3, size)
    with torch.no_grad():
        expected, found = head(seen), head.padded(seen).objects(size)
    assert [len(one) for one in found] == [len(one) for one in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.equal(ours.labels, theirs.labels)
        torch.testing.assert_close(ours.boxes, theirs.boxes)
        torch.testing.assert_close(ours.scores, theirs.scores)


def test_crowds_and_difficult_objects_are_no_targets() -> None:
    from dataclasses import replace

    head = make().train()
    seen, (objects, empty) = features(head), lesson()["objects"]
    flags = torch.ones(2, dtype=torch.bool)
    losses = []
    for one in (objects, empty, replace(objects, crowd=flags), replace(objects, difficult=flags)):
        torch.manual_seed(0)
        losses.append(sum(head(seen, {"objects": ObjectList([one, empty])}).values()).item())
    assert losses[0] != losses[1]
    assert losses[2] == losses[3] == losses[1]


def test_anchors_fit_the_image() -> None:
    sides = [
        max(sides[0] for sides in FasterRCNNFPN(spec(), size, **SMALL).rpn.anchor_generator.sizes)
        for size in (SIZE, (800, 800))
    ]  # type: ignore[arg-type]
    assert sides == [256, 512]
