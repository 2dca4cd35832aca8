"""FCOS: what it learns; torchvision's FCOS with the same weights finds the same; what is refused."""

import pytest
import torch
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOS as TorchvisionFCOS  # noqa: N811

from tests.head.detection.cases import CLASSES, SIZE, features, finds, overfit, spec
from vggexp.head.detection.padded import SMALLEST
from vggexp.head.fcos import FCOS


def make(seed: int = 0, **options: float) -> FCOS:
    torch.manual_seed(seed)
    return FCOS(spec(), channels=64, convolutions=1, **{"stride": 4, **options})  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_learns_two_objects_by_heart(seed: int) -> None:
    """Started around 0, as torchvision's, one of the four distances stayed 0 for ever, and a box ended at its place."""
    assert finds(overfit(make(seed=seed), 80))


def test_it_finds_what_torchvisions_finds_in_the_same_outputs() -> None:
    head = make(threshold=0.01, candidates=30).eval()
    seen = features(head)
    backbone = torch.nn.Identity()
    backbone.out_channels = 64  # type: ignore[assignment]
    with torch.no_grad():
        maps = list(head.pyramid(seen).values())
        counts = [one.shape[2] * one.shape[3] for one in maps]
        points = [list(head.points.on(maps).split(counts))] * 2
        theirs = TorchvisionFCOS(
            backbone, CLASSES, anchor_generator=AnchorGenerator(((4,),), ((1.0,),)), head=head.head, score_thresh=0.01,
            topk_candidates=30, detections_per_img=1000,
        )  # fmt: skip
        outputs = {name: list(value.split(counts, 1)) for name, value in head.head(maps).items()}
        expected = theirs.postprocess_detections(outputs, points, [SIZE] * 2)
        found = head(seen)
    for ours, theirs_of_image in zip(found, expected, strict=True):
        large = ((theirs_of_image["boxes"][:, 2:] - theirs_of_image["boxes"][:, :2]) >= SMALLEST).all(1)
        one = {name: value[large] for name, value in theirs_of_image.items()}
        assert len(ours) == len(one["boxes"]) > 0
        torch.testing.assert_close(ours.boxes, one["boxes"])
        torch.testing.assert_close(ours.scores, one["scores"])
        assert torch.equal(ours.labels, one["labels"])


@pytest.mark.parametrize(
    ("options", "message"), [({"stride": 16}, "4 or 8 pixels, not 16"), ({"channels": 48}, "give 64, 96")]
)
def test_what_cannot_be_is_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FCOS(spec(), **options)  # type: ignore[arg-type]


def test_the_stride_says_the_shallowest_stage() -> None:
    assert (make().shallowest, make(stride=8).shallowest) == (3, 4)
