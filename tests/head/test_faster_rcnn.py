"""Faster R-CNN on the last stage: the paper's map and layers; its graph's form finds what torchvision's loops find."""

from dataclasses import replace

import pytest
import torch

from tests.head.detection.cases import SIZE, features, finds, overfit, spec
from vggexp.backbone.vgg import VGG
from vggexp.head.detection import anchors
from vggexp.head.faster_rcnn import FasterRCNN, RegionPool
from vggexp.head.mlp import MLP
from vggexp.types import HeadSpec, ObjectList, Objects

SMALL = {"hidden": 32, "samples": 32, "proposals": 100, "stride": 16}


def make(**options: object) -> FasterRCNN:
    torch.manual_seed(0)
    return FasterRCNN(spec(), SIZE, **{**SMALL, **options})  # type: ignore[arg-type]


@pytest.mark.slow
def test_it_learns_two_objects_by_heart() -> None:
    assert finds(overfit(make(dropout=0.0), 200))


@pytest.mark.parametrize("size", [SIZE, (47, 33)])
def test_its_padded_form_is_torchvisions_evaluation(size: tuple[int, int]) -> None:
    head = make(threshold=0.0).eval()
    seen = features(head, 3, size)
    with torch.no_grad():
        expected, found = head(seen), head.padded(seen).objects(size)
    assert [len(one) for one in found] == [len(one) for one in expected]
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours.scores, theirs.scores)
        # Untrained, some objects score the same, and their order is open: compare them sorted by class and box.
        rows = [torch.cat((one.labels[:, None], one.boxes), 1) for one in (ours, theirs)]
        one, other = (torch.tensor(sorted(row.tolist())) for row in rows)
        torch.testing.assert_close(one, other)


def test_it_reads_conv5_3_at_stride_16_and_its_dense_layers_are_the_classifiers() -> None:
    backbone = VGG("D", width=1 / 16)
    given = HeadSpec(backbone.channels, backbone.strides, {"detection": 3})
    head = FasterRCNN(given, (600, 800), hidden=64)
    assert head.stride == 16
    seen = backbone(torch.zeros(1, 3, 64, 96), head.reads)
    assert seen.skips[-1].shape[-2:] == (4, 6)
    sides = head._parts[0].anchor_generator.sizes
    assert [round(side) for side in sides[0]] == [120, 240, 480]
    classifier = MLP(HeadSpec(backbone.channels, backbone.strides, {"classification": 3}), hidden=64).state_dict()
    own = head.state_dict()
    for name in ("classifier.0.weight", "classifier.0.bias", "classifier.3.weight", "classifier.3.bias"):
        assert own[name].shape == classifier[name].shape


def test_at_stride_8_it_also_reads_conv4_3() -> None:
    head, usual = make(stride=8, threshold=0.0).eval(), make()
    assert (head.shallowest, usual.shallowest) == (4, 5)
    _, _, maps, _, images = head._given(seen := features(head, 1), 1)
    assert maps["0"].shape[-2:] == (SIZE[0] // 8, SIZE[1] // 8)
    assert len(head.anchors(images, list(maps.values()))[0]) == 8 * 12 * 9
    with torch.no_grad():
        changed = head._map(replace(seen, skips=(*seen.skips[:3], seen.skips[3] + 1, seen.skips[4])))
        assert not torch.equal(changed, maps["0"])
        assert len(head(seen)[0]) > 0
    with pytest.raises(ValueError, match="stride is 8 or 16 pixels, not 4"):
        make(stride=4)
    assert make(stride=None).stride == 8
    assert FasterRCNN(spec(), (600, 800), **{**SMALL, "stride": None}).stride == 16  # type: ignore[arg-type]


def test_many_objects_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thousand objects of an image are compared with the anchors in parts, a random one in each step."""
    seen: list[int] = []
    head = make()
    regions, _ = head._parts
    match = regions.assign_targets_to_anchors

    def counted(boxes: list[torch.Tensor], targets: list[dict[str, torch.Tensor]]) -> object:
        seen.extend(len(one["boxes"]) for one in targets)
        return match(boxes, targets)

    monkeypatch.setattr(regions, "assign_targets_to_anchors", counted)
    monkeypatch.setattr(anchors, "PAIRS", 5400)
    boxes = torch.rand(2000, 4) * 20 + torch.tensor([0.0, 0, 30, 30])
    many = Objects(boxes, torch.zeros(2000, dtype=torch.int64))
    losses = head.train()(features(head, 1), {"objects": ObjectList([many])})
    assert all(value.isfinite() for value in losses.values())
    assert seen == [5400 // (6 * 4 * 9)]


def test_the_papers_pooling_takes_the_maximum_of_whole_cells() -> None:
    x = torch.arange(16.0).view(1, 1, 4, 4)
    box = [torch.tensor([[0.0, 0.0, 63.0, 63.0]])]
    assert RegionPool(1, 16, "pool")({"0": x}, box, None).item() == 15
    assert RegionPool(1, 16, "align")({"0": x}, box, None).item() < 15
    with pytest.raises(ValueError, match="choose from: align, pool"):
        RegionPool(7, 16, "crop")
