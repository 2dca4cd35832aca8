"""Detection and instance segmentation: the constant detector, rows, diagnostics and pictures."""

from typing import Any

import pytest
import torch

from vggexp.task import drawing
from vggexp.task.common_objects import common_objects, filled
from vggexp.task.detection import Detection
from vggexp.task.instance_segmentation import InstanceSegmentation
from vggexp.types import DataInfo, DrawsBoth, ObjectList, Objects

INFO = DataInfo(("cat", "dog"), ())
EDGES = torch.tensor([[4.0, 4, 24, 24], [32.0, 8, 56, 40]])


def batch(masks: bool = False) -> Any:
    truth = Objects(EDGES, torch.tensor([0, 1]))
    if masks:
        truth = filled(truth, (48, 64))
    return {"index": torch.arange(2), "objects": ObjectList([truth, truth[:1]])}


def test_the_constant_detector_says_the_commonest_boxes_with_their_frequency() -> None:
    near = EDGES + torch.tensor([0.1, -0.1, 0.1, -0.1])
    common = common_objects([Objects(EDGES, torch.tensor([0, 1])), Objects(near[:1], torch.tensor([0]))], images=4)
    assert common.labels.tolist() == [0, 1]
    assert common.scores is not None
    assert common.scores.tolist() == [0.5, 0.25]
    torch.testing.assert_close(common.boxes[0], (EDGES[0] + near[0]) / 2)


@pytest.mark.parametrize("kind", [Detection, InstanceSegmentation])
def test_the_baseline_of_what_never_changes_is_right(kind: type[Detection]) -> None:
    task, seen = kind(INFO, torch.nn.Identity()), batch(kind.masks)
    task.observe(seen)
    task.finish_observing()
    metrics = task.metrics()
    metrics.update(task.baseline(seen), seen)
    scores = metrics.compute()
    # The cat is in both images, the dog in the first: it is said of both with a score of 0.5, once wrongly, after that.
    assert scores[kind.objective] == scores["object_iou"] == 1
    assert scores["rq"] == scores["pq"] == pytest.approx((1 + 1 / 1.5) / 2)


@pytest.mark.parametrize("kind", [Detection, InstanceSegmentation])
def test_rows_diagnostics_and_pictures_agree(kind: type[Detection]) -> None:
    task, seen = kind(INFO, torch.nn.Identity()), batch(kind.masks)
    guess = Objects(EDGES + 1, torch.tensor([0, 0]), scores=torch.tensor([0.9, 0.6]))
    found = {"objects": ObjectList([filled(guess, (48, 64)) if kind.masks else guess] * 2)}
    counts = task.diagnostics(task.rows(found, seen))[task.name]["counts"]
    assert counts == {"matched": 2, "missed": 1, "false": 2}
    assert isinstance(task, DrawsBoth)
    image = torch.zeros(3, 48, 64, dtype=torch.uint8)
    true, predicted = task.draw_both(image, {"objects": seen["objects"][0]}, {"objects": found["objects"][0]})
    for picture, colours in ((true, (drawing.MATCHED, drawing.MISSED)), (predicted, (drawing.MATCHED, drawing.FALSE))):
        pixels = picture.flatten(1).T
        assert all((pixels == torch.tensor(colour)).all(1).any() for colour in colours)
    assert task.draw(image, {"objects": guess}).shape == true.shape
