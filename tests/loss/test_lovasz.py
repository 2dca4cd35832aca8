import pytest
import torch
from sklearn.metrics import jaccard_score

from vggexp.loss.lovasz import Lovasz
from vggexp.types import VOID


def test_at_hard_predictions_is_one_minus_the_mean_iou() -> None:
    """The Lovasz extension agrees with the set function where predictions are certain."""
    torch.manual_seed(0)
    prediction, mask = (torch.randint(0, 3, (2, 6, 6), dtype=torch.uint8) for _ in range(2))
    mask[1, :2] = VOID
    logits = 100 * torch.nn.functional.one_hot(prediction.long(), 3).float().movedim(-1, 1)
    keep = mask != VOID
    expected = 1 - jaccard_score(mask[keep], prediction[keep], average="macro")
    assert float(Lovasz()(logits, mask)) == pytest.approx(expected, abs=1e-5)
