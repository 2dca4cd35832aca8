"""SSD: its levels, its default boxes, what it learns; torchvision's SSD with the same weights finds the same."""

import pytest
import torch
from torchvision.models.detection.ssd import SSD as TorchvisionSSD  # noqa: N811

from tests.head.detection.cases import SIZE, features, finds, overfit, spec
from vggexp.backbone.vgg import VGG
from vggexp.head.detection.default_boxes import DefaultBoxes
from vggexp.head.ssd import SSD
from vggexp.types import Features, HeadSpec


def make(**options: float) -> SSD:
    torch.manual_seed(0)
    return SSD(spec(), SIZE, hidden=32, **options)  # type: ignore[arg-type]


@pytest.mark.slow
def test_it_learns_two_objects_by_heart() -> None:
    assert finds(overfit(make(), 100))


def test_it_finds_what_torchvisions_finds_in_the_same_outputs() -> None:
    head = make(threshold=0.05, candidates=20).eval()
    seen = features(head)
    with torch.no_grad():
        maps = head.maps(seen)
        anchors = head._anchors(2, maps, SIZE)
        theirs = TorchvisionSSD(
            torch.nn.Identity(), head.anchors, SIZE, 4, head=head.head, score_thresh=0.05, topk_candidates=20
        )
        expected = theirs.postprocess_detections(head.head(maps), anchors, [SIZE] * 2)
        found = head(seen)
    for ours, one in zip(found, expected, strict=True):
        assert len(ours) == len(one["boxes"]) > 0
        torch.testing.assert_close(ours.boxes, one["boxes"])
        torch.testing.assert_close(ours.scores, one["scores"])
        assert torch.equal(ours.labels, one["labels"] - 1)


def test_at_300_pixels_it_is_the_papers() -> None:
    """Figure 2's channels and numbers of boxes; the maps are one cell smaller, because our poolings round down."""
    with torch.device("meta"):
        vgg = VGG("D")
        head = SSD(HeadSpec(vgg.channels, vgg.strides, {"detection": 20}), (300, 300))
        sides = (150, 75, 37, 18, 9)
        channels = zip(vgg.channels, sides, (300, *sides), strict=False)
        stages, skips = zip(*((torch.empty(1, c, s, s), torch.empty(1, c, b, b)) for c, s, b in channels), strict=True)
        maps = head.maps(Features(stages, (300, 300), skips))
    assert [one.shape[1] for one in maps] == [512, 1024, 512, 256, 256, 256]
    assert [one.shape[2] for one in maps] == [37, 18, 9, 5, 3, 2]
    assert head.anchors.num_anchors_per_location() == [4, 6, 6, 6, 4, 4]
    assert sum(p.numel() for p in [*head.dense.parameters()]) == 512 * 1024 * 9 + 1024 + 1024**2 + 1024


def test_default_boxes_grow_linearly() -> None:
    assert DefaultBoxes(6, None, None, (2.0, 3.0)).scales == pytest.approx([0.1, 0.2, 0.375, 0.55, 0.725, 0.9, 1.075])


def test_conv4_3_has_the_learned_length() -> None:
    head = make()
    lengths = head.maps(features(head))[0].norm(dim=1)
    torch.testing.assert_close(lengths, torch.full_like(lengths, 20.0))


def test_one_level_is_refused() -> None:
    with pytest.raises(ValueError, match="levels=1: SSD has two or more"):
        SSD(spec(), SIZE, levels=1)
