"""Instance segmentation: what it scores beside detection; ``test_detection.py`` tries both on the rest."""

import torch

from vggexp.task.common_objects import filled
from vggexp.task.instance_segmentation import InstanceSegmentation
from vggexp.types import DataInfo, ObjectList, Objects


def test_a_wrong_mask_in_a_right_box_costs_the_mask_alone() -> None:
    task = InstanceSegmentation(DataInfo(("cat",), ()), torch.nn.Identity())
    truth = filled(Objects(torch.tensor([[0.0, 0, 20, 20]]), torch.tensor([0])), (32, 32))
    quarter = filled(Objects(torch.tensor([[0.0, 0, 10, 10]]), truth.labels), (32, 32)).masks
    guess = Objects(truth.boxes, truth.labels, quarter, scores=torch.tensor([0.9]))
    metrics = task.metrics()
    metrics.update(task.predict(ObjectList([guess])), {"index": torch.tensor([0]), "objects": ObjectList([truth])})
    scores = metrics.compute()
    assert (scores["map"], scores["segm_map_50"], scores["object_iou"], scores["pq"]) == (1, 0, 0, 0)
