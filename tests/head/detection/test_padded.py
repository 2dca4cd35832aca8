"""Fixed slots hold what a loop over images finds, in one call for any batch size too."""

import pytest
import torch
from torchvision.ops import batched_nms

from vggexp.head.detection import padded
from vggexp.head.detection.padded import Padded, best, pasted


def candidates(images: int = 3, count: int = 60) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    corner = torch.rand(images, count, 2, generator=generator) * 60
    boxes = torch.cat((corner, corner + 2 + 30 * torch.rand(images, count, 2, generator=generator)), 2)
    return (
        boxes,
        torch.rand(images, count, generator=generator),
        torch.randint(0, 3, (images, count), generator=generator),
    )


@pytest.mark.parametrize("whole_batch", [False, True])
def test_each_image_has_torchvisions_survivors(whole_batch: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    boxes, scores, labels = candidates()
    if whole_batch:
        monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)
    found = best(boxes, scores, labels, 12, threshold=0.2, overlap=0.4).objects((100, 100))
    for image, one in enumerate(found):
        (likely,) = (scores[image] > 0.2).nonzero(as_tuple=True)
        kept = likely[batched_nms(boxes[image][likely], scores[image][likely], labels[image][likely], 0.4)][:12]
        assert torch.equal(one.boxes, boxes[image][kept])
        assert torch.equal(one.labels, labels[image][kept])
        assert one.scores is not None
        assert torch.equal(one.scores, scores[image][kept])


def test_slots_without_a_detection_are_last_and_score_0() -> None:
    boxes = torch.tensor([[[0.0, 0, 10, 10], [20, 20, 30, 30], [5, 5, 5, 9]]])
    found = best(
        boxes, torch.tensor([[0.1, 0.9, 0.8]]), torch.zeros(1, 3, dtype=torch.int64), 3, threshold=0.5, overlap=0.5
    )
    assert found.scores.tolist() == [[pytest.approx(0.9), 0, 0]]  # one is unlikely, one has no area
    (one,) = found.objects((40, 40))
    assert len(one) == 1
    assert one.boxes.tolist() == [[20, 20, 30, 30]]


def test_tensors_and_back() -> None:
    boxes, scores, labels = candidates()
    found = best(boxes, scores, labels, 5, threshold=0.0, overlap=0.5)
    assert list(found.tensors()) == ["object_boxes", "object_labels", "object_scores"]
    assert torch.equal(Padded.of(found.tensors()).boxes, found.boxes)


def test_masks_are_pasted_into_their_boxes_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = torch.tensor([[10.0, 5.0, 30.0, 25.0], [0.0, 0.0, 8.0, 8.0], [20.0, 20.0, 40.0, 32.0]])
    masks = torch.ones(3, 14, 14)
    masks[0, :, 7:] = 0
    whole = pasted(masks, boxes, (32, 40))
    assert whole.dtype == torch.uint8
    assert whole[0, 10, 12] == 1
    assert whole[0, 10, 28] == 0
    assert abs(int(whole[1].sum()) - 64) <= 17  # one row and one column of the border at most
    monkeypatch.setattr(padded, "_PASTED", 1)
    assert torch.equal(pasted(masks, boxes, (32, 40)), whole)
    assert pasted(masks[:0], boxes[:0], (32, 40)).shape == (0, 32, 40)
