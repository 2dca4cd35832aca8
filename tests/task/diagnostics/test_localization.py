import pytest
import torch
from torchvision.ops import box_iou

from vggexp.boxes import to_edges
from vggexp.task.diagnostics.localization import BINS, diagnostics, rows


def test_ious_and_their_histogram() -> None:
    generator = torch.Generator().manual_seed(0)
    corner, size = torch.rand(2, 40, 2, generator=generator)
    truth = torch.cat((corner / 2, size / 2 + 0.01), 1)
    guess = truth + 0.1 * torch.rand(40, 4, generator=generator)
    guess[0], guess[1] = truth[0], torch.tensor([0.9, 0.9, 0.0, 0.0])  # IoU 1 and 0: the outer bins hold them
    kept = rows({"box": guess}, {"box": truth})
    expected = box_iou(to_edges(guess), to_edges(truth)).diagonal()
    torch.testing.assert_close(kept["score"], expected)
    found = diagnostics(kept)
    places = [min(BINS - 1, int(float(iou) * BINS)) for iou in expected]
    assert found["histogram"] == [places.count(place) for place in range(BINS)]
    assert found["histogram"][-1] >= 1 <= found["histogram"][0]
    assert found["each"]["prediction"][3] == pytest.approx(guess[3].tolist(), abs=1e-4)


def test_of_one_box_a_class_the_true_labels_counts_also_where_rounding_takes_it_above_one() -> None:
    truth = torch.tensor([[0.1, 0.1, 0.2, 0.2]])
    per_class = torch.stack((torch.zeros(1, 4), truth), 1)
    kept = rows({"box_per_class": per_class}, {"box": truth, "label": torch.tensor([1])})
    assert kept["score"].item() > 1
    assert diagnostics(kept)["histogram"] == [0] * (BINS - 1) + [1]
